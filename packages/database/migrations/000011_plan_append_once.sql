-- append_messages as in 000004, planned once for the life of a connection.
--
-- PostgreSQL planned it anew at every call: by its reckoning a general plan is no cheaper. Planning took three times as
-- long as the work. So a general plan is forced. It may be made while the tables are small and must not scan them when
-- they have grown. Sequential scans are off already; what remains is that a small table is read whole by its index, and
-- then joined. Two things leave only the look-up by the whole key, one input after the other:
--
--   offset 0              the look-ups stay subqueries of their own and are not made a join
--   = any (array[...])    as good as `=` to an index, and nothing to a hash or merge join
create or replace function append_messages(
  p_room_ids uuid[], p_sender_ids text[], p_client_msg_ids text[], p_ids uuid[], p_contents text[], p_reply_tos bigint[],
  p_lock_timeout_ms integer
) returns table (
  idx integer, outcome text, id uuid, seq bigint, content text, created_at timestamptz, reply_to bigint, rev bigint,
  edited_at timestamptz, deleted_at timestamptz, sender_name text, muted_until timestamptz
)
language plpgsql
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
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
      m.slow_for, m.next_at, d.stored,
      case
        when r.id is null then 'room_not_found'
        when m.user_id is null then 'not_a_member'
        when (d.stored).seq is not null then 'duplicate'
        when r.kind = 'direct' and exists (
          select from members o
          where o.room_id = i.room_id and o.user_id <> i.sender_id and exists (
            select from user_blocks b where b.user_id = o.user_id and b.blocked_id = i.sender_id offset 0
          )
        ) then 'blocked'
        when m.muted_until > v_now then 'muted'
        when i.reply_to not between 1 and r.head_seq then 'reply_not_found'
        when m.next_at > v_now then 'slow_mode'
        else 'appended'
      end as verdict
    from input i
    left join lateral (
      select x.id, x.kind, x.head_seq, x.slow_mode_ms * interval '1 millisecond' as slow_for
      from rooms x where x.id = i.room_id offset 0
    ) r on true
    -- slow_for and next_at: only of who is slowed down.
    left join lateral (
      select x.user_id, x.muted_until, s.slow_for, x.last_sent_at + s.slow_for as next_at
      from members x
      cross join lateral (select case when x.role = 'member' and r.slow_for > interval '0' then r.slow_for end) s (slow_for)
      where x.room_id = i.room_id and x.user_id = i.sender_id offset 0
    ) m on true
    left join lateral (select x.name from users x where x.id = i.sender_id offset 0) u on true
    left join lateral (
      select x as stored from messages x
      where x.room_id = i.room_id and x.sender_id = i.sender_id and x.client_msg_id = i.client_msg_id offset 0
    ) d on true
  ),
  -- Of a slow sender's messages the first one passes, with its duplicates.
  paced as (
    select j.idx, j.room_id, j.sender_id, j.client_msg_id, j.head_seq, j.sender_name,
      case when j.verdict = 'duplicate' then j.stored end as stored,
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
    select n.idx, n.room_id, n.sender_id, n.client_msg_id, n.sender_name, n.muted_until, n.stored, n.verdict,
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
    where r.id = any (array[h.room_id])
  ),
  -- In key order, which is the order for anybody who changes several members without holding their rooms.
  own_reads as (
    update members m set last_read_seq = h.top, last_sent_at = v_now
    from (
      select g.room_id, g.sender_id, max(g.new_seq) as top from given g where g.is_new
      group by g.room_id, g.sender_id order by g.room_id, g.sender_id
    ) h
    where m.room_id = any (array[h.room_id]) and m.user_id = any (array[h.sender_id])
  )
  select g.idx,
    case when g.verdict = 'appended' and not g.is_new then 'duplicate' else g.verdict end,
    coalesce((g.stored).id, p_ids[g.new_idx]), coalesce((g.stored).seq, g.new_seq),
    coalesce((g.stored).content, p_contents[g.new_idx]),
    coalesce((g.stored).created_at, case when g.new_idx is not null then v_now end),
    coalesce((g.stored).reply_to, p_reply_tos[g.new_idx]), (g.stored).rev, (g.stored).edited_at, (g.stored).deleted_at,
    g.sender_name, g.muted_until
  from given g;
end
$$;
