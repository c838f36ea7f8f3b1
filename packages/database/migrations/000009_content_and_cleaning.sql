-- A room's own rule about words, beside its row: the row is rewritten with every message and should stay small.
create table room_word_filters (
  room_id uuid primary key references rooms (id) on delete cascade,
  mode    text not null check (mode in ('mask', 'reject')),
  words   text[] not null
);

-- Open reports are listed by id (UUIDv7, so by time), page by page.
drop index message_reports_open;
create index message_reports_open on message_reports (room_id, id) where resolved_at is null;

-- Since when a room has neither members nor messages; null as long as it has some. Sends do not touch member_count, so
-- they do not fire this, and the column that the index holds does not change with them.
alter table rooms add column emptied_at timestamptz;
update rooms set emptied_at = now() where member_count = 0 and head_seq = 0;

create function mark_emptied_room() returns trigger
language plpgsql
as $$
begin
  new.emptied_at := case when new.member_count = 0 and new.head_seq = 0 then now() end;
  return new;
end
$$;
create trigger rooms_emptied before insert or update of member_count on rooms
  for each row execute function mark_emptied_room();

-- What the clean-up looks for.
create index rooms_emptied on rooms (emptied_at) where emptied_at is not null;
create index room_bans_expiring on room_bans (expires_at) where expires_at is not null;
create index members_muted on members (muted_until) where muted_until is not null;
create index audit_log_by_time on audit_log (at);
create index message_reports_resolved on message_reports (resolved_at) where resolved_at is not null;
create index sessions_by_expiry on sessions (expires_at);
create index refresh_tokens_used on refresh_tokens (used_at) where used_at is not null;
create index login_failures_by_time on login_failures (first_at);
