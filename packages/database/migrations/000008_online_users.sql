-- Who was last told to be online. Whether somebody is connected stands in Redis; this is what the others believe, so that
-- each change is told once by whichever gateway notes it first, and can be told when Redis has forgotten it or all
-- gateways died at once.
create table online_users (
  user_id text primary key references users (id) on delete cascade
);
