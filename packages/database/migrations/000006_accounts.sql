-- Accounts, whole: where a code is sent, codes that tell nothing of whether an account exists, tokens of applications that
-- were given back, and the indexes by which every gateway looks for what has ended since its last look.

alter table users
  add column email              text,          -- where one-time codes go; nobody is told of it
  add column tokens_valid_after timestamptz;   -- tokens of applications that were issued up to then are refused
create index users_by_ban on users (banned_at) where banned_at is not null;
create index users_by_tokens_valid_after on users (tokens_valid_after) where tokens_valid_after is not null;

create index sessions_by_end on sessions (ended_at) where ended_at is not null;

-- A token that an application signed has no session here, so logging out remembers the token itself.
create table revoked_tokens (
  token_id   bytea primary key,                -- SHA-256 of what was signed: the signature can have several spellings
  user_id    text not null references users (id) on delete cascade,
  revoked_at timestamptz not null default now(),
  expires_at timestamptz not null              -- the token's own `exp`; afterwards the row says nothing
);
create index revoked_tokens_by_revocation on revoked_tokens (revoked_at);
create index revoked_tokens_by_expiry on revoked_tokens (expires_at);

-- By the name that was asked for, whether there is such an account or not: both cost the same write. Nothing used the
-- table before.
drop table login_codes;
create table login_codes (
  account_key text primary key,                -- case-folded username
  code_hash   bytea not null,                  -- HMAC-SHA256
  expires_at  timestamptz not null,
  attempts    integer not null default 0,
  first_at    timestamptz not null default now(), -- when the window began in which requests are counted
  requests    integer not null default 1
);
create index login_codes_by_expiry on login_codes (expires_at);
