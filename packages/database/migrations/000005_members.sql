-- How often a membership ended against the room's streams: a gateway that sees the number move asks who of its hearers is
-- still a member. It changes under the room's row lock, like member_count.
alter table rooms add column members_rev bigint not null default 0;

-- Who deletes somebody else's message is written down in the same transaction, whichever code makes the change.
create function audit_deletion() returns trigger
language plpgsql
as $$
begin
  insert into audit_log (room_id, actor_id, act, target_id, details)
  select new.room_id, new.actor_id, 'message:delete', m.sender_id, jsonb_build_object('seq', new.seq)
  from messages m
  where m.room_id = new.room_id and m.seq = new.seq and m.sender_id <> new.actor_id;
  return null;
end
$$;

create trigger message_changes_audit after insert on message_changes
for each row when (new.kind = 'delete') execute function audit_deletion();
