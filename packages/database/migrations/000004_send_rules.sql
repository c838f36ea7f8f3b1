-- Slow mode, blocks, and a bound on the wait for locks: what a send asks beyond membership and mute.
--
-- slow_mode_ms: the least time between two messages of a plain member; 0: none. last_sent_at: when the member last sent
-- a message; kept in every room, by the write that moves last_read_seq anyway. No index holds either of them.
alter table rooms add column slow_mode_ms integer not null default 0 check (slow_mode_ms >= 0);
alter table members add column last_sent_at timestamptz;

-- append_messages with a seventh parameter. The function with six (000002) stays for gateways of the release before,
-- which go on during a rolling update; it knows no slow mode and no blocks.
--
-- p_lock_timeout_ms: a wait for the lock of any row ends after so long with SQLSTATE 55P03, and nothing has changed; 0:
-- never, null: what the connection has. It stays set until the transaction ends.
--
-- Outcomes beyond those of 000002:
--
--   blocked          in a direct room, the other one has blocked the sender
--   slow_mode        the sender's message before this one is too new, also when it is of this batch; `muted_until` says
--                    when the next one is allowed
--
-- Duplicates are answered as duplicates in any case. Whoever is owner or moderator is not slowed down.
--
-- What only few rooms need costs the others nothing: blocks are looked up in direct rooms, earlier inputs of the same
-- sender in slow ones.
create function append_messages(
  p_room_ids uuid[], p_sender_ids text[], p_client_msg_ids text[], p_ids uuid[], p_contents text[], p_reply_tos bigint[],
  p_lock_timeout_ms integer
) returns table (
  idx integer, outcome text, id uuid, seq bigint, content text, created_at timestamptz, reply_to bigint, rev bigint,
  edited_at timestamptz, deleted_at timestamptz, sender_name text, muted_until timestamptz
)
language plpgsql
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
begin
  if p_lock_timeout_ms is not null then
    perform set_config('lock_timeout', p_lock_timeout_ms::text, true);
  end if;
  perform 1 from rooms r where r.id = any (p_room_ids) order by r.id for no key update;
  v_now := date_trunc('milliseconds', clock_timestamp());

  return query
  with input as materialized (
    select t.ord::integer as idx, t.room_id, t.sender_id, t.client_msg_id, t.reply_to
    from unnest(p_room_ids, p_sender_ids, p_client_msg_ids, p_reply_tos)
      with ordinality as t (room_id, sender_id, client_msg_id, reply_to, ord)
  ),
  judged as materialized (
    select i.idx, i.room_id, i.sender_id, i.client_msg_id, r.head_seq, u.name as sender_name, m.muted_until,
      m.slow_for, m.next_at, d.seq as stored_seq,
      case
        when r.id is null then 'room_not_found'
        when m.user_id is null then 'not_a_member'
        when d.seq is not null then 'duplicate'
        when r.kind = 'direct' and exists (
          select from members o join user_blocks b on b.user_id = o.user_id and b.blocked_id = i.sender_id
          where o.room_id = i.room_id and o.user_id <> i.sender_id
        ) then 'blocked'
        when m.muted_until > v_now then 'muted'
        when i.reply_to not between 1 and r.head_seq then 'reply_not_found'
        when m.next_at > v_now then 'slow_mode'
        else 'appended'
      end as verdict
    from input i
    left join lateral (
      select x.id, x.kind, x.head_seq, x.slow_mode_ms * interval '1 millisecond' as slow_for
      from rooms x where x.id = i.room_id
    ) r on true
    -- slow_for and next_at: only of who is slowed down.
    left join lateral (
      select x.user_id, x.muted_until, s.slow_for, x.last_sent_at + s.slow_for as next_at
      from members x
      cross join lateral (select case when x.role = 'member' and r.slow_for > interval '0' then r.slow_for end) s (slow_for)
      where x.room_id = i.room_id and x.user_id = i.sender_id
    ) m on true
    left join lateral (select x.name from users x where x.id = i.sender_id) u on true
    left join lateral (
      select x.seq from messages x
      where x.room_id = i.room_id and x.sender_id = i.sender_id and x.client_msg_id = i.client_msg_id
    ) d on true
  ),
  -- Of a slow sender's messages the first one passes, with its duplicates.
  paced as (
    select j.idx, j.room_id, j.sender_id, j.client_msg_id, j.head_seq, j.sender_name, j.stored_seq,
      case when p.is_late then 'slow_mode' else j.verdict end as verdict,
      case when p.is_late then v_now + j.slow_for when j.verdict = 'slow_mode' then j.next_at else j.muted_until end
        as muted_until
    from judged j
    cross join lateral (
      select case when j.slow_for is not null and j.verdict = 'appended' then j.client_msg_id <> (
        select e.client_msg_id from judged e
        where e.room_id = j.room_id and e.sender_id = j.sender_id and e.verdict = 'appended' order by e.idx limit 1
      ) end
    ) p (is_late)
  ),
  -- Of inputs with the same key the first one counts, the others are its duplicates.
  ranked as (
    select p.*, p.verdict = 'appended' and row_number() over same_key = 1 as is_new
    from paced p
    window same_key as (partition by p.room_id, p.sender_id, p.client_msg_id, p.verdict order by p.idx)
  ),
  numbered as (
    select r.*, r.head_seq + count(*) filter (where r.is_new) over (partition by r.room_id order by r.idx) as new_seq
    from ranked r
  ),
  -- new_idx and new_seq: of the new message that the input became, or is the duplicate of.
  given as materialized (
    select n.idx, n.room_id, n.sender_id, n.client_msg_id, n.sender_name, n.muted_until, n.stored_seq, n.verdict,
      n.is_new,
      case when n.verdict = 'appended' then first_value(n.idx) over same_key end as new_idx,
      case when n.verdict = 'appended' then first_value(n.new_seq) over same_key end as new_seq
    from numbered n
    window same_key as (partition by n.room_id, n.sender_id, n.client_msg_id, n.verdict order by n.idx)
  ),
  inserted as (
    insert into messages as w (room_id, seq, id, sender_id, client_msg_id, content, created_at, reply_to)
    select g.room_id, g.new_seq, p_ids[g.idx], g.sender_id, g.client_msg_id, p_contents[g.idx], v_now, p_reply_tos[g.idx]
    from given g where g.is_new
  ),
  heads as (
    update rooms r set head_seq = h.top, last_message_at = v_now
    from (select g.room_id, max(g.new_seq) as top from given g where g.is_new group by g.room_id) h
    where r.id = h.room_id
  ),
  -- In key order, which is the order for anybody who changes several members without holding their rooms.
  own_reads as (
    update members m set last_read_seq = h.top, last_sent_at = v_now
    from (
      select g.room_id, g.sender_id, max(g.new_seq) as top from given g where g.is_new
      group by g.room_id, g.sender_id order by g.room_id, g.sender_id
    ) h
    where m.room_id = h.room_id and m.user_id = h.sender_id
  )
  select g.idx,
    case when g.verdict = 'appended' and not g.is_new then 'duplicate' else g.verdict end,
    coalesce(d.id, p_ids[g.new_idx]), coalesce(d.seq, g.new_seq), coalesce(d.content, p_contents[g.new_idx]),
    coalesce(d.created_at, case when g.new_idx is not null then v_now end),
    coalesce(d.reply_to, p_reply_tos[g.new_idx]), d.rev, d.edited_at, d.deleted_at, g.sender_name, g.muted_until
  from given g
  left join lateral (
    select x.id, x.seq, x.content, x.created_at, x.reply_to, x.rev, x.edited_at, x.deleted_at
    from messages x where g.verdict = 'duplicate' and x.room_id = g.room_id and x.seq = g.stored_seq
  ) d on true;
end
$$;
