-- append_messages: a batch of sends, of any rooms, in one round trip.
--
-- Takes the rooms' row locks in id order (two batches never deadlock) and keeps them until the commit. Under the lock it
-- looks for duplicates, gives out `seq` without a gap, inserts, moves the heads, and marks the senders' own messages as
-- read. Answers one row an input, in any order, `idx` counting from 1:
--
--   appended         a new message
--   duplicate        (room, sender, client_msg_id) was there already, or earlier in this batch: the stored message
--   room_not_found   no such room
--   not_a_member     the sender is no member at this moment
--   muted            a moderator muted the sender, until `muted_until`
--   reply_not_found  `reply_to` is the seq of no message
--
-- One bad input changes nothing for the others. Each statement below sees what was committed before it started (READ
-- COMMITTED), so what is read after the locks is the truth: a member removed by a transaction that held the room's row
-- is no member here.
--
-- Sequential scans are off: this plan is cached for the life of a connection, and one that was made while the tables
-- were nearly empty must not scan them when they have grown.
create function append_messages(
  p_room_ids uuid[], p_sender_ids text[], p_client_msg_ids text[], p_ids uuid[], p_contents text[], p_reply_tos bigint[]
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
      d.seq as stored_seq,
      case
        when r.id is null then 'room_not_found'
        when m.user_id is null then 'not_a_member'
        when d.seq is not null then 'duplicate'
        when m.muted_until > v_now then 'muted'
        when i.reply_to not between 1 and r.head_seq then 'reply_not_found'
        else 'appended'
      end as verdict
    from input i
    left join lateral (select x.id, x.head_seq from rooms x where x.id = i.room_id) r on true
    left join lateral (
      select x.user_id, x.muted_until from members x where x.room_id = i.room_id and x.user_id = i.sender_id
    ) m on true
    left join lateral (select x.name from users x where x.id = i.sender_id) u on true
    left join lateral (
      select x.seq from messages x
      where x.room_id = i.room_id and x.sender_id = i.sender_id and x.client_msg_id = i.client_msg_id
    ) d on true
  ),
  -- Of inputs with the same key the first one counts, the others are its duplicates.
  ranked as (
    select j.*, j.verdict = 'appended' and row_number() over same_key = 1 as is_new
    from judged j
    window same_key as (partition by j.room_id, j.sender_id, j.client_msg_id, j.verdict order by j.idx)
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
    update members m set last_read_seq = h.top
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
