-- become_member: somebody joins a public room by himself, in one round trip.
--
-- The room's row lock orders it with the sends and with whoever changes members; a crowd that joins one room waits for
-- it one after another, so it is held for this one statement only. Answers:
--
--   joined      a member from now on, who has read what was there before; of a deserted room the owner
--   member      was one already
--   banned      until the ban is lifted or ends
--   not_found   no such room, or one that is not public
--
-- Sequential scans are off for the same reason as in append_messages (000002).
create function become_member(p_room_id uuid, p_user_id text) returns text
language plpgsql
set enable_seqscan = off
as $$
declare
  v_room rooms;
begin
  select r.* into v_room from rooms r where r.id = p_room_id for no key update;
  if exists (select from members m where m.room_id = p_room_id and m.user_id = p_user_id) then
    return 'member';
  end if;
  if v_room.kind is distinct from 'public' then
    return 'not_found';
  end if;
  if exists (
    select from room_bans b
    where b.room_id = p_room_id and b.user_id = p_user_id and (b.expires_at is null or b.expires_at > now())
  ) then
    return 'banned';
  end if;
  insert into members (room_id, user_id, role, last_read_seq)
  values (p_room_id, p_user_id, case when v_room.member_count = 0 then 'owner' else 'member' end, v_room.head_seq);
  update rooms r set member_count = r.member_count + 1 where r.id = p_room_id;
  return 'joined';
end
$$;
