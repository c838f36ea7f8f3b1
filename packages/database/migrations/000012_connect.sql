-- What a connect and a join ask for, each for any number of sockets that come at the same time.
--
-- Planned once for the life of a connection, like append_messages (000011): planning took longer than the work. A plan
-- that is made while the tables are small must not scan them when they have grown, so what is looked up is a subquery of
-- its own (`offset 0`), or one that gives a single value, and is found by its key, one after the other.

-- All that decides on a token: of each of them its user, what has ended, and the user's rooms. A user with a name is made
-- when there is none. `idx` is the place of the question, from 1; who is not there has no row.
create function recognise_bearers(
  p_user_ids text[], p_session_ids uuid[], p_token_ids bytea[], p_names text[], p_claimed_names text[]
) returns table (
  idx integer, id text, name text, avatar_url text, status_text text, chosen_status text, last_seen_at timestamptz,
  claimed_name text, tokens_valid_after timestamptz, is_banned boolean, has_password boolean,
  session_is_live boolean, is_revoked boolean, room_ids uuid[]
)
language plpgsql
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  -- In the order of their ids, so that two gateways with the same users wait for each other only once.
  insert into users (id, name, claimed_name)
  select distinct on (a.user_id) a.user_id, a.name, a.claimed_name
  from unnest(p_user_ids, p_names, p_claimed_names) as a (user_id, name, claimed_name)
  where a.name is not null and (select u.id from users u where u.id = a.user_id) is null
  order by a.user_id
  on conflict do nothing;

  return query
  select a.idx::integer, u.id, u.name, u.avatar_url, u.status_text, u.chosen_status, u.last_seen_at, u.claimed_name,
    u.tokens_valid_after, u.banned_at is not null, u.password_hash is not null,
    (select s.ended_at is null and s.expires_at > now() from sessions s where s.id = a.session_id and s.user_id = u.id),
    (select r.token_id from revoked_tokens r where r.token_id = a.token_id) is not null,
    array(select m.room_id from members m where m.user_id = u.id)
  from unnest(p_user_ids, p_session_ids, p_token_ids) with ordinality as a (user_id, session_id, token_id, idx)
  cross join lateral (select x.* from users x where x.id = a.user_id offset 0) u;
end
$$;

-- Notes users as told to be online, and reads them; `is_news` for whom it is new, at one gateway only however many note
-- it at once.
create function note_online(p_user_ids text[]) returns table (
  id text, name text, avatar_url text, status_text text, chosen_status text, last_seen_at timestamptz, room_ids uuid[],
  is_news boolean
)
language plpgsql
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_news text[];
begin
  with noted as (
    insert into online_users (user_id)
    select u.id from unnest(p_user_ids) as a (user_id)
    cross join lateral (select x.id from users x where x.id = a.user_id offset 0) u
    order by u.id
    on conflict do nothing returning user_id
  )
  select array_agg(n.user_id) into v_news from noted n;

  return query
  select u.id, u.name, u.avatar_url, u.status_text, u.chosen_status, u.last_seen_at,
    array(select m.room_id from members m where m.user_id = u.id), u.id = any (coalesce(v_news, '{}'))
  from unnest(p_user_ids) as a (user_id)
  cross join lateral (select x.* from users x where x.id = a.user_id offset 0) u;
end
$$;

-- Rooms as viewers see them, a viewer for each room: `me` is the viewer's membership, `peer` the other one of a direct
-- room, `members` the first `p_members` by user id (null for none). `idx` is the place of the question, from 1; a room
-- that does not exist has no row.
create function rooms_seen_by(p_room_ids uuid[], p_viewer_ids text[], p_members integer) returns table (
  idx integer, id uuid, kind text, name text, topic text, created_by text, created_at timestamptz, head_seq bigint,
  head_rev bigint, member_count integer, slow_mode_ms integer, my_role text, my_last_read_seq bigint,
  my_muted_until timestamptz, peer_id text, peer_name text, peer_avatar_url text, peer_status_text text,
  peer_chosen_status text, peer_last_seen_at timestamptz, members json
)
language plpgsql stable
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  select a.idx::integer, r.id, r.kind, r.name, r.topic, r.created_by, r.created_at, r.head_seq, r.head_rev,
    r.member_count, r.slow_mode_ms, me.role, me.last_read_seq, me.muted_until, peer.id, peer.name, peer.avatar_url,
    peer.status_text, peer.chosen_status, peer.last_seen_at,
    case when p_members > 0 then (
      select json_agg(page) from (
        select u.id, u.name, u.avatar_url, u.status_text, u.chosen_status, u.last_seen_at, m.role
        from members m cross join lateral (select x.* from users x where x.id = m.user_id offset 0) u
        where m.room_id = r.id order by m.user_id limit p_members
      ) page
    ) end
  from unnest(p_room_ids, p_viewer_ids) with ordinality as a (room_id, viewer_id, idx)
  cross join lateral (select x.* from rooms x where x.id = a.room_id offset 0) r
  left join lateral (
    select x.* from members x where x.room_id = a.room_id and x.user_id = a.viewer_id offset 0
  ) me on true
  left join lateral (
    select x.* from members o cross join lateral (select y.* from users y where y.id = o.user_id offset 0) x
    where r.kind = 'direct' and o.room_id = r.id and o.user_id <> a.viewer_id offset 0
  ) peer on true;
end
$$;
