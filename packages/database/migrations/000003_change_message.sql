-- Who reacted to a message how: [{emoji, count, userIds}], the first 20 users of each, or null without any.
create function reactions_of(p_room_id uuid, p_seq bigint) returns jsonb
language sql stable
as $$
  select jsonb_agg(
    jsonb_build_object('emoji', r.emoji, 'count', r.count, 'userIds', r.user_ids) order by r.since, r.emoji
  )
  from (
    select x.emoji, count(*) as count, min(x.created_at) as since,
      to_jsonb((array_agg(x.user_id order by x.created_at, x.user_id))[:20]) as user_ids
    from message_reactions x
    where x.room_id = p_room_id and x.seq = p_seq
    group by x.emoji
  ) r
$$;

-- change_message: an edit, a deletion or a reaction, in one round trip.
--
-- Holds the room's row lock like append_messages, so `rev` has no gaps and a membership that has ended is seen. What
-- sets what is set already changes nothing and gives no `rev`. Answers one row:
--
--   changed          `rev` is new
--   unchanged        it was so already
--   not_a_member     no such room, or the actor is no member of it
--   not_found        no message with this seq
--   forbidden        an edit of somebody else's message, or a deletion by who is neither author nor moderator nor owner
--   deleted          an edit of a deleted message, or a reaction to one
--   muted            an edit by a muted member, until `muted_until`
--   too_many         a message has 50 different reactions at most
create function change_message(
  p_room_id uuid, p_seq bigint, p_actor_id text, p_change_id uuid, p_kind text,
  p_content text, p_emoji text, p_on boolean
) returns table (
  outcome text, id uuid, room_id uuid, seq bigint, rev bigint, sender_id text, sender_name text, content text,
  client_msg_id text, created_at timestamptz, reply_to bigint, edited_at timestamptz, deleted_at timestamptz,
  reactions jsonb, muted_until timestamptz
)
language plpgsql
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_member members;
  v_message messages;
  v_outcome text := 'changed';
  v_rev bigint;
  v_reactions jsonb;
begin
  perform 1 from rooms r where r.id = p_room_id for no key update;
  v_now := date_trunc('milliseconds', clock_timestamp());
  select m.* into v_member from members m where m.room_id = p_room_id and m.user_id = p_actor_id;
  if v_member.user_id is not null then
    select m.* into v_message from messages m where m.room_id = p_room_id and m.seq = p_seq;
  end if;

  if v_member.user_id is null then
    v_outcome := 'not_a_member';
  elsif v_message.seq is null then
    v_outcome := 'not_found';
  elsif p_kind = 'edit' and v_message.sender_id <> p_actor_id then
    v_outcome := 'forbidden';
  elsif p_kind = 'delete' and v_message.sender_id <> p_actor_id and v_member.role = 'member' then
    v_outcome := 'forbidden';
  elsif p_kind = 'delete' and v_message.deleted_at is not null then
    v_outcome := 'unchanged';
  elsif v_message.deleted_at is not null then
    v_outcome := 'deleted';
  elsif p_kind = 'edit' and v_member.muted_until > v_now then
    v_outcome := 'muted';
  elsif p_kind = 'edit' and v_message.content = p_content then
    v_outcome := 'unchanged';
  elsif p_kind = 'react' then
    if p_on then
      if (select count(distinct x.emoji) from message_reactions x
          where x.room_id = p_room_id and x.seq = p_seq and x.emoji <> p_emoji) >= 50 then
        v_outcome := 'too_many';
      else
        insert into message_reactions (room_id, seq, emoji, user_id)
        values (p_room_id, p_seq, p_emoji, p_actor_id) on conflict do nothing;
        if not found then v_outcome := 'unchanged'; end if;
      end if;
    else
      delete from message_reactions x
      where x.room_id = p_room_id and x.seq = p_seq and x.emoji = p_emoji and x.user_id = p_actor_id;
      if not found then v_outcome := 'unchanged'; end if;
    end if;
  end if;

  if v_outcome = 'changed' then
    if p_kind = 'delete' then
      delete from message_reactions x where x.room_id = p_room_id and x.seq = p_seq;
    end if;
    update rooms r set head_rev = r.head_rev + 1 where r.id = p_room_id returning r.head_rev into v_rev;
    insert into message_changes (
      room_id, rev, seq, id, kind, actor_id, at, previous_content, content, edited_at, deleted_at, reactions
    ) values (
      p_room_id, v_rev, p_seq, p_change_id, p_kind, p_actor_id, v_now,
      case when p_kind <> 'react' then v_message.content end,
      case p_kind when 'edit' then p_content when 'delete' then '' else v_message.content end,
      case p_kind when 'edit' then v_now else v_message.edited_at end,
      case p_kind when 'delete' then v_now end,
      reactions_of(p_room_id, p_seq)
    );
    update messages m set rev = v_rev, content = c.content, edited_at = c.edited_at, deleted_at = c.deleted_at
    from message_changes c
    where m.room_id = p_room_id and m.seq = p_seq and c.room_id = p_room_id and c.rev = v_rev
    returning m.* into v_message;
  end if;
  if v_outcome in ('changed', 'unchanged') then v_reactions := reactions_of(p_room_id, p_seq); end if;

  return query select v_outcome, v_message.id, p_room_id, v_message.seq, v_message.rev, v_message.sender_id,
    (select u.name from users u where u.id = v_message.sender_id), v_message.content, v_message.client_msg_id,
    v_message.created_at, v_message.reply_to, v_message.edited_at, v_message.deleted_at, v_reactions,
    v_member.muted_until;
end
$$;
