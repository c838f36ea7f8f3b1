import type { Database, MemberRole } from '@parley/database';
import { sql, type Kysely, type Transaction } from 'kysely';

// Whoever calls these holds the lock of the room's row, but for `isBanned` and `enterRoom`.

export interface Member {
  role: MemberRole;
  muted_until: Date | null;
}

export function findMember(trx: Transaction<Database>, roomId: string, userId: string): Promise<Member | undefined> {
  return trx
    .selectFrom('members')
    .where('room_id', '=', roomId)
    .where('user_id', '=', userId)
    .select(['role', 'muted_until'])
    .executeTakeFirst();
}

/** A new member has read what was there before. @returns false for who is a member already */
export async function insertMember(
  trx: Transaction<Database>,
  member: { roomId: string; userId: string; role: MemberRole; lastReadSeq: number },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('members')
    .values({
      room_id: member.roomId,
      user_id: member.userId,
      role: member.role,
      last_read_seq: member.lastReadSeq,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  if (!numInsertedOrUpdatedRows) return false;
  await trx
    .updateTable('rooms')
    .set((eb) => ({ member_count: eb('member_count', '+', 1) }))
    .where('id', '=', member.roomId)
    .execute();
  return true;
}

/** A room by its id, or a public one by the case-folded form of its name. */
export type RoomKey = { roomId: string } | { nameKey: string };

export interface Entered {
  room_id: string;
  /** The meaning of each stands at the function `become_member`. */
  outcome: 'joined' | 'member' | 'banned' | 'not_found';
}

/**
 * Finds a room and makes somebody a member of it if it is public, in one round trip. Only who is no member yet waits for
 * the lock of the room's row.
 *
 * @returns undefined when there is no such room
 */
export async function enterRoom(db: Kysely<Database>, key: RoomKey, userId: string): Promise<Entered | undefined> {
  const isIt =
    'roomId' in key
      ? sql`rooms.id = ${key.roomId}::uuid`
      : sql`rooms.kind = 'public' and rooms.name_key = ${key.nameKey}`;
  const { rows } = await sql<Entered>`
    select rooms.id as room_id, case
      when me.user_id is not null then 'member'
      when rooms.kind = 'public' then become_member(rooms.id, ${userId})
      else 'not_found' end as outcome
    from rooms left join members as me on me.room_id = rooms.id and me.user_id = ${userId}
    where ${isIt}`.execute(db);
  return rows[0];
}

/** Ends a membership, and lets the gateways find out that one has ended. */
export async function deleteMember(trx: Transaction<Database>, roomId: string, userId: string): Promise<void> {
  await trx.deleteFrom('members').where('room_id', '=', roomId).where('user_id', '=', userId).execute();
  await trx
    .updateTable('rooms')
    .set((eb) => ({ member_count: eb('member_count', '-', 1), members_rev: eb('members_rev', '+', 1) }))
    .where('id', '=', roomId)
    .execute();
}

export async function setRole(
  trx: Transaction<Database>,
  roomId: string,
  userId: string,
  role: MemberRole,
): Promise<void> {
  await trx.updateTable('members').set({ role }).where('room_id', '=', roomId).where('user_id', '=', userId).execute();
}

/** @param forMs 0 lifts it */
export async function setMuted(
  trx: Transaction<Database>,
  roomId: string,
  userId: string,
  forMs: number,
): Promise<void> {
  const until = sql<Date>`date_trunc('milliseconds', clock_timestamp()) + ${forMs} * interval '1 millisecond'`;
  await trx
    .updateTable('members')
    .set({ muted_until: forMs > 0 ? until : null })
    .where('room_id', '=', roomId)
    .where('user_id', '=', userId)
    .execute();
}

export async function countOwners(trx: Transaction<Database>, roomId: string): Promise<number> {
  const { owners } = await trx
    .selectFrom('members')
    .where('room_id', '=', roomId)
    .where('role', '=', 'owner')
    .select((eb) => eb.fn.countAll<number>().as('owners'))
    .executeTakeFirstOrThrow();
  return owners;
}

/** Who a room without owners passes to: the oldest moderator, else the oldest member. */
export async function findHeir(trx: Transaction<Database>, roomId: string): Promise<string | undefined> {
  const heir = await trx
    .selectFrom('members')
    .where('room_id', '=', roomId)
    .orderBy((eb) => eb('role', '=', 'moderator'), 'desc')
    .orderBy('joined_at')
    .orderBy('user_id')
    .limit(1)
    .select('user_id')
    .executeTakeFirst();
  return heir?.user_id;
}

export async function isBanned(db: Kysely<Database>, roomId: string, userId: string): Promise<boolean> {
  const row = await db
    .selectFrom('room_bans')
    .where('room_id', '=', roomId)
    .where('user_id', '=', userId)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
    .select('user_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** @returns false when there is such a ban already; one that has expired is none */
export async function insertBan(
  trx: Transaction<Database>,
  ban: { roomId: string; userId: string; bannedBy: string; reason: string | null },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('room_bans')
    .values({ room_id: ban.roomId, user_id: ban.userId, banned_by: ban.bannedBy, reason: ban.reason })
    .onConflict((conflict) =>
      conflict
        .columns(['room_id', 'user_id'])
        .doUpdateSet({
          banned_by: ban.bannedBy,
          reason: ban.reason,
          created_at: sql<Date>`now()`,
          expires_at: null,
        })
        .where('room_bans.expires_at', '<=', sql<Date>`now()`),
    )
    .executeTakeFirstOrThrow();
  return Boolean(numInsertedOrUpdatedRows);
}

/** @returns false when there is none */
export async function deleteBan(trx: Transaction<Database>, roomId: string, userId: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('room_bans')
    .where('room_id', '=', roomId)
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
