import type { ChosenStatus, Database, MemberRole } from '@parley/database';
import { sql, type Kysely, type Transaction } from 'kysely';
import { fromJson, type MemberInJson, type MemberRow } from './members.sql.ts';

/** A room as somebody sees it: `my_*` is the viewer's membership, `peer_*` the other one of a direct room. */
export interface RoomRow {
  id: string;
  kind: 'public' | 'private' | 'direct';
  name: string;
  topic: string | null;
  created_by: string;
  created_at: Date;
  head_seq: number;
  head_rev: number;
  member_count: number;
  slow_mode_ms: number;
  my_role: MemberRole | null;
  my_last_read_seq: number | null;
  my_muted_until: Date | null;
  peer_id: string | null;
  peer_name: string | null;
  peer_avatar_url: string | null;
  peer_status_text: string | null;
  peer_chosen_status: ChosenStatus | null;
  peer_last_seen_at: Date | null;
}

/** A room, and who asks for it. */
export interface RoomQuestion {
  roomId: string;
  viewerId: string;
}

export interface RoomWithMembers {
  room: RoomRow;
  members: MemberRow[];
}

/**
 * Rooms with their first members by user id, for each question in its place, in one query; undefined for a room that
 * does not exist.
 *
 * @param members how many
 */
export async function findRoomsWithMembers(
  db: Kysely<Database>,
  questions: readonly RoomQuestion[],
  members: number,
): Promise<(RoomWithMembers | undefined)[]> {
  const rows = await roomsSeenBy(db, questions, members);
  const found = new Map(rows.map((row) => [row.idx, row]));
  return questions.map((_, index) => {
    const room = found.get(index + 1);
    return room && { room, members: (room.members ?? []).map(fromJson) };
  });
}

export async function findRoom(db: Kysely<Database>, roomId: string, viewerId: string): Promise<RoomRow | undefined> {
  const [room] = await roomsSeenBy(db, [{ roomId, viewerId }], 0);
  return room;
}

/** Those of the rooms that exist. */
export async function findRooms(
  db: Kysely<Database>,
  roomIds: readonly string[],
  viewerId: string,
): Promise<RoomRow[]> {
  if (roomIds.length === 0) return [];
  return roomsSeenBy(
    db,
    roomIds.map((roomId) => ({ roomId, viewerId })),
    0,
  );
}

async function roomsSeenBy(
  db: Kysely<Database>,
  questions: readonly RoomQuestion[],
  members: number,
): Promise<(RoomRow & { idx: number; members: MemberInJson[] | null })[]> {
  const { rows } = await sql<RoomRow & { idx: number; members: MemberInJson[] | null }>`
    select * from rooms_seen_by(
      ${questions.map(({ roomId }) => roomId)}::uuid[], ${questions.map(({ viewerId }) => viewerId)}::text[],
      ${members}::integer
    )`.execute(db);
  return rows;
}

export interface RoomListQuery {
  viewerId: string;
  scope: 'public' | 'mine';
  /** Case-folded part of a name. */
  searchKey?: string | undefined;
  after?: { activity: number; id: string } | undefined;
  limit: number;
}

/** A room of a list. */
export interface ListedRoom extends RoomRow {
  /** When something last happened in the room, in microseconds since the epoch, for the cursor of a list. */
  activity: number;
}

const activity = sql`(extract(epoch from coalesce(rooms.last_message_at, rooms.created_at)) * 1000000)::bigint`;

/**
 * Latest activity first. No index serves this order: it would make every message an index update. A list sorts the
 * rooms it may show instead.
 */
export async function listRooms(
  db: Kysely<Database>,
  { viewerId, scope, searchKey, after, limit }: RoomListQuery,
): Promise<ListedRoom[]> {
  const conditions = [
    scope === 'public' ? sql`rooms.kind = 'public'` : sql`me.user_id is not null`,
    ...(searchKey === undefined
      ? []
      : [sql`strpos(case when rooms.kind = 'direct' then lower(peer.name) else rooms.name_key end, ${searchKey}) > 0`]),
    ...(after ? [sql`(${activity}, rooms.id) < (${after.activity}::bigint, ${after.id}::uuid)`] : []),
  ];
  const { rows } = await sql<ListedRoom>`
    select rooms.id, rooms.kind, rooms.name, rooms.topic, rooms.created_by, rooms.created_at, rooms.head_seq,
      rooms.head_rev, rooms.member_count, rooms.slow_mode_ms,
      me.role as my_role, me.last_read_seq as my_last_read_seq, me.muted_until as my_muted_until,
      peer.id as peer_id, peer.name as peer_name, peer.avatar_url as peer_avatar_url,
      peer.status_text as peer_status_text, peer.chosen_status as peer_chosen_status,
      peer.last_seen_at as peer_last_seen_at, ${activity} as activity
    from rooms
    left join members as me on me.room_id = rooms.id and me.user_id = ${viewerId}
    left join members as other on other.room_id = rooms.id and rooms.kind = 'direct' and other.user_id <> ${viewerId}
    left join users as peer on peer.id = other.user_id
    where ${sql.join(conditions, sql` and `)}
    order by activity desc, rooms.id desc limit ${limit}`.execute(db);
  return rows;
}

/** @throws a unique violation of `rooms_public_name` when a public room has that name */
export async function insertRoom(
  trx: Transaction<Database>,
  room: {
    id: string;
    kind: 'public' | 'private';
    name: string;
    nameKey: string;
    topic: string | null;
    ownerId: string;
  },
): Promise<void> {
  await trx
    .insertInto('rooms')
    .values({
      id: room.id,
      kind: room.kind,
      name: room.name,
      name_key: room.nameKey,
      topic: room.topic,
      created_by: room.ownerId,
      member_count: 1,
    })
    .execute();
  await trx.insertInto('members').values({ room_id: room.id, user_id: room.ownerId, role: 'owner' }).execute();
}

/** Of a room whose row is locked. */
export interface LockedRoomRow {
  id: string;
  kind: RoomRow['kind'];
  name: string;
  topic: string | null;
  head_seq: number;
  member_count: number;
  members_can_invite: boolean;
  slow_mode_ms: number;
}

/** Locks the room's row, by which everything that changes who is a member is ordered with the sends. */
export function lockRoom(trx: Transaction<Database>, roomId: string): Promise<LockedRoomRow | undefined> {
  return trx
    .selectFrom('rooms')
    .where('id', '=', roomId)
    .select(['id', 'kind', 'name', 'topic', 'head_seq', 'member_count', 'members_can_invite', 'slow_mode_ms'])
    .forNoKeyUpdate()
    .executeTakeFirst();
}

/** The role of a member. */
export async function findRole(db: Kysely<Database>, roomId: string, userId: string): Promise<MemberRole | undefined> {
  const row = await db
    .selectFrom('members')
    .where('room_id', '=', roomId)
    .where('user_id', '=', userId)
    .select('role')
    .executeTakeFirst();
  return row?.role;
}

/** @throws a unique violation of `rooms_public_name` when a public room has that name */
export async function updateRoom(
  trx: Transaction<Database>,
  roomId: string,
  changes: {
    name?: string;
    name_key?: string;
    topic?: string | null;
    members_can_invite?: boolean;
    slow_mode_ms?: number;
  },
): Promise<void> {
  if (Object.keys(changes).length === 0) return;
  await trx.updateTable('rooms').set(changes).where('id', '=', roomId).execute();
}
