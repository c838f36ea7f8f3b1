-- The whole model: people, rooms, messages, and who did what.
--
-- Conventions: times are timestamptz, set by the database; text is NFC (the gateway normalises); `*_key` columns hold
-- the case-folded form that uniqueness is decided by. Numbering (head_seq, head_rev) happens under the room's row lock.

create table users (
  id            text primary key,
  name          text not null,
  claimed_name  text,                          -- the last `name` claim of a token; only a new one renames
  username      text,                          -- only accounts made here have one
  username_key  text unique,
  password_hash text,                          -- argon2id, PHC string
  avatar_url    text,
  status_text   text,
  chosen_status text not null default 'online' check (chosen_status in ('online', 'away', 'dnd')),
  role          text not null default 'user' check (role in ('user', 'admin')),
  created_at    timestamptz not null default now(),
  last_seen_at  timestamptz,
  banned_at     timestamptz
);

-- head_seq, head_rev and last_message_at change with every message. No index holds them, and half of each page is kept
-- free, so that these updates stay heap-only (HOT) and never touch an index.
create table rooms (
  id                 uuid primary key,
  kind               text not null check (kind in ('public', 'private', 'direct')),
  name               text not null,
  name_key           text not null,
  topic              text,
  created_by         text not null references users (id),
  created_at         timestamptz not null default now(),
  members_can_invite boolean not null default false,
  direct_key         text unique,              -- direct rooms: both user ids in order, so that a pair has one room
  head_seq           bigint not null default 0,
  head_rev           bigint not null default 0,
  member_count       integer not null default 0,
  last_message_at    timestamptz,
  check ((kind = 'direct') = (direct_key is not null))
) with (fillfactor = 50);
create unique index rooms_public_name on rooms (name_key) where kind = 'public';

create table members (
  room_id       uuid not null references rooms (id) on delete cascade,
  user_id       text not null references users (id) on delete cascade,
  role          text not null default 'member' check (role in ('owner', 'moderator', 'member')),
  joined_at     timestamptz not null default now(),
  last_read_seq bigint not null default 0,
  muted_until   timestamptz,
  primary key (room_id, user_id)
) with (fillfactor = 70);
create index members_by_user on members (user_id, room_id);

create table room_bans (
  room_id    uuid not null references rooms (id) on delete cascade,
  user_id    text not null references users (id) on delete cascade,
  banned_by  text not null,
  reason     text,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  primary key (room_id, user_id)
);

-- No foreign keys here: append_messages holds the room's row and has seen the membership, and two look-ups a row
-- would be paid for nothing.
create table messages (
  room_id       uuid not null,
  seq           bigint not null,
  id            uuid not null,
  sender_id     text not null,
  client_msg_id text not null,
  content       text not null,
  created_at    timestamptz not null,
  reply_to      bigint,
  rev           bigint,                        -- of its latest change; null as long as nothing was changed
  edited_at     timestamptz,
  deleted_at    timestamptz,
  primary key (room_id, seq),
  constraint messages_once unique (room_id, sender_id, client_msg_id)
);
create unique index messages_by_rev on messages (room_id, rev) where rev is not null;

-- Every change of a message, and what the message was after it: what the stream of changes tells, and tells again to
-- who missed it. `previous_content` keeps what an edit or a deletion replaced.
create table message_changes (
  room_id          uuid not null,
  rev              bigint not null,
  seq              bigint not null,
  id               uuid not null,              -- chosen by the gateway before the commit
  kind             text not null check (kind in ('edit', 'delete', 'react')),
  actor_id         text not null,
  at               timestamptz not null,
  previous_content text,
  content          text not null,
  edited_at        timestamptz,
  deleted_at       timestamptz,
  reactions        jsonb,
  primary key (room_id, rev)
);

create table message_reactions (
  room_id    uuid not null,
  seq        bigint not null,
  emoji      text not null,
  user_id    text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (room_id, seq, emoji, user_id)
);

-- A login. Its access tokens carry its id (claim `sid`), so ending it refuses all of them.
create table sessions (
  id         uuid primary key,
  user_id    text not null references users (id) on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at   timestamptz
);
create index sessions_by_user on sessions (user_id) where ended_at is null;

-- One row a rotation. A row that is used twice gives the theft away.
create table refresh_tokens (
  token_hash bytea primary key,                -- SHA-256
  session_id uuid not null references sessions (id) on delete cascade,
  created_at timestamptz not null default now(),
  used_at    timestamptz
);
create index refresh_tokens_by_session on refresh_tokens (session_id);

create table login_codes (
  user_id    text primary key references users (id) on delete cascade,
  code_hash  text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  attempts   integer not null default 0
);

create table login_failures (
  account_key  text not null,
  address      text not null,
  failures     integer not null,
  first_at     timestamptz not null default now(),
  locked_until timestamptz,
  primary key (account_key, address)
);

create table user_blocks (
  user_id    text not null references users (id) on delete cascade,
  blocked_id text not null references users (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (user_id, blocked_id)
);

create table audit_log (
  id        bigint generated always as identity primary key,
  room_id   uuid,
  actor_id  text not null,
  act       text not null,
  target_id text,
  details   jsonb not null default '{}',
  at        timestamptz not null default now()
);
create index audit_log_by_room on audit_log (room_id, id);

create table message_reports (
  id          uuid primary key,
  room_id     uuid not null references rooms (id) on delete cascade,
  seq         bigint not null,
  reporter_id text not null,
  reason      text,
  created_at  timestamptz not null default now(),
  resolved_at timestamptz,
  resolved_by text,
  unique (room_id, seq, reporter_id)
);
create index message_reports_open on message_reports (room_id, created_at) where resolved_at is null;
