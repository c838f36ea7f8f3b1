import type { ColumnType, Generated, GeneratedAlways, Insertable, Selectable, Updateable } from 'kysely';

/**
 * The tables as Kysely sees them, in the order and with the names of `migrations/`. There the constraints and their
 * reasons are written. int8 is a number, timestamptz a Date, uuid a string, bytea a Buffer.
 */
export interface Database {
  users: UsersTable;
  rooms: RoomsTable;
  members: MembersTable;
  room_bans: RoomBansTable;
  messages: MessagesTable;
  message_changes: MessageChangesTable;
  message_reactions: MessageReactionsTable;
  sessions: SessionsTable;
  refresh_tokens: RefreshTokensTable;
  revoked_tokens: RevokedTokensTable;
  login_codes: LoginCodesTable;
  login_failures: LoginFailuresTable;
  user_blocks: UserBlocksTable;
  audit_log: AuditLogTable;
  message_reports: MessageReportsTable;
  online_users: OnlineUsersTable;
  room_word_filters: RoomWordFiltersTable;
}

export type ChosenStatus = 'online' | 'away' | 'dnd';
export type UserRole = 'user' | 'admin';
export type RoomKind = 'public' | 'private' | 'direct';
export type ChangeKind = 'edit' | 'delete' | 'react';
export type WordFilterMode = 'mask' | 'reject';
export type MemberRole = 'owner' | 'moderator' | 'member';

/** Given at the insert (or by the default), never changed afterwards. */
type Fixed<T> = ColumnType<T, T, never>;
type FixedGenerated<T> = ColumnType<T, T | undefined, never>;

export interface UsersTable {
  id: Fixed<string>;
  name: string;
  claimed_name: string | null;
  username: string | null;
  username_key: string | null;
  password_hash: string | null;
  avatar_url: string | null;
  status_text: string | null;
  chosen_status: Generated<ChosenStatus>;
  role: Generated<UserRole>;
  created_at: FixedGenerated<Date>;
  last_seen_at: Date | null;
  banned_at: Date | null;
  email: string | null;
  tokens_valid_after: Date | null;
}

export interface RoomsTable {
  id: Fixed<string>;
  kind: Fixed<RoomKind>;
  name: string;
  name_key: string;
  topic: string | null;
  created_by: Fixed<string>;
  created_at: FixedGenerated<Date>;
  members_can_invite: Generated<boolean>;
  direct_key: ColumnType<string | null, string | null | undefined, never>;
  head_seq: Generated<number>;
  head_rev: Generated<number>;
  member_count: Generated<number>;
  last_message_at: Date | null;
  /** Set by a trigger. */
  emptied_at: ColumnType<Date | null, never, never>;
  slow_mode_ms: Generated<number>;
  /** Moves whenever a membership ends. */
  members_rev: Generated<number>;
}

export interface MembersTable {
  room_id: Fixed<string>;
  user_id: Fixed<string>;
  role: Generated<MemberRole>;
  joined_at: Generated<Date>;
  last_read_seq: Generated<number>;
  muted_until: Date | null;
  last_sent_at: Date | null;
}

export interface RoomBansTable {
  room_id: Fixed<string>;
  user_id: Fixed<string>;
  banned_by: string;
  reason: string | null;
  created_at: Generated<Date>;
  expires_at: Date | null;
}

/** Rows are made by `append_messages` alone; other code changes what was written. */
export interface MessagesTable {
  room_id: Fixed<string>;
  seq: Fixed<number>;
  id: Fixed<string>;
  sender_id: Fixed<string>;
  client_msg_id: Fixed<string>;
  content: string;
  created_at: Fixed<Date>;
  reply_to: ColumnType<number | null, number | null | undefined, never>;
  rev: number | null;
  edited_at: Date | null;
  deleted_at: Date | null;
}

/** Rows are made by `change_message` alone. */
export interface MessageChangesTable {
  room_id: Fixed<string>;
  rev: Fixed<number>;
  seq: Fixed<number>;
  id: Fixed<string>;
  kind: Fixed<ChangeKind>;
  actor_id: Fixed<string>;
  at: Fixed<Date>;
  previous_content: Fixed<string | null>;
  content: Fixed<string>;
  edited_at: Fixed<Date | null>;
  deleted_at: Fixed<Date | null>;
  /** `[{emoji, count, userIds}]`; null without any. */
  reactions: Fixed<Record<string, unknown> | null>;
}

export interface MessageReactionsTable {
  room_id: Fixed<string>;
  seq: Fixed<number>;
  emoji: Fixed<string>;
  user_id: Fixed<string>;
  created_at: FixedGenerated<Date>;
}

export interface SessionsTable {
  id: Fixed<string>;
  user_id: Fixed<string>;
  created_at: FixedGenerated<Date>;
  expires_at: Date;
  ended_at: Date | null;
}

export interface RefreshTokensTable {
  token_hash: Fixed<Buffer>;
  session_id: Fixed<string>;
  created_at: FixedGenerated<Date>;
  used_at: Date | null;
}

export interface RevokedTokensTable {
  token_id: Fixed<Buffer>;
  user_id: Fixed<string>;
  revoked_at: Generated<Date>;
  expires_at: Fixed<Date>;
}

export interface LoginCodesTable {
  account_key: Fixed<string>;
  code_hash: Buffer;
  expires_at: Date;
  attempts: Generated<number>;
  first_at: Generated<Date>;
  requests: Generated<number>;
}

export interface LoginFailuresTable {
  account_key: Fixed<string>;
  address: Fixed<string>;
  failures: number;
  first_at: Generated<Date>;
  locked_until: Date | null;
}

export interface UserBlocksTable {
  user_id: Fixed<string>;
  blocked_id: Fixed<string>;
  created_at: FixedGenerated<Date>;
}

export interface AuditLogTable {
  id: GeneratedAlways<number>;
  room_id: ColumnType<string | null, string | null | undefined, never>;
  actor_id: Fixed<string>;
  act: Fixed<string>;
  target_id: ColumnType<string | null, string | null | undefined, never>;
  /** A JSON object; an array would be taken for an SQL array. */
  details: FixedGenerated<Record<string, unknown>>;
  at: FixedGenerated<Date>;
}

export interface MessageReportsTable {
  id: Fixed<string>;
  room_id: Fixed<string>;
  seq: Fixed<number>;
  reporter_id: Fixed<string>;
  reason: string | null;
  created_at: FixedGenerated<Date>;
  resolved_at: Date | null;
  resolved_by: string | null;
}

/** Who was last told to be online. */
export interface OnlineUsersTable {
  user_id: Fixed<string>;
}

/** A room without a row has no rule of its own. */
export interface RoomWordFiltersTable {
  room_id: Fixed<string>;
  mode: WordFilterMode;
  words: string[];
}

export type UserRow = Selectable<UsersTable>;
export type NewUser = Insertable<UsersTable>;
export type UserUpdate = Updateable<UsersTable>;
export type RoomRow = Selectable<RoomsTable>;
export type NewRoom = Insertable<RoomsTable>;
export type RoomUpdate = Updateable<RoomsTable>;
export type MemberRow = Selectable<MembersTable>;
export type NewMember = Insertable<MembersTable>;
export type MemberUpdate = Updateable<MembersTable>;
export type RoomBanRow = Selectable<RoomBansTable>;
export type MessageRow = Selectable<MessagesTable>;
export type MessageUpdate = Updateable<MessagesTable>;
export type MessageChangeRow = Selectable<MessageChangesTable>;
export type MessageReactionRow = Selectable<MessageReactionsTable>;
export type SessionRow = Selectable<SessionsTable>;
export type RefreshTokenRow = Selectable<RefreshTokensTable>;
export type RevokedTokenRow = Selectable<RevokedTokensTable>;
export type LoginCodeRow = Selectable<LoginCodesTable>;
export type LoginFailureRow = Selectable<LoginFailuresTable>;
export type UserBlockRow = Selectable<UserBlocksTable>;
export type AuditLogRow = Selectable<AuditLogTable>;
export type MessageReportRow = Selectable<MessageReportsTable>;
export type RoomWordFilterRow = Selectable<RoomWordFiltersTable>;
