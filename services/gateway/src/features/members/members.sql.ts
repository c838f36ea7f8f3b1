import type { Database, MemberRole } from '@parley/database';
import { sql, type Kysely, type Transaction } from 'kysely';

// Whoever calls these holds the lock of the room's row, but for `isBanned` and `joinAsMember`.

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

/** Makes somebody a member of a public room, in one round trip; the meaning of each answer stands at the function. */
export async function joinAsMember(
  db: Kysely<Database>,
  roomId: string,
  userId: string,
): Promise<'joined' | 'member' | 'banned' | 'not_found'> {
  const { rows } = await sql<{ outcome: 'joined' | 'member' | 'banned' | 'not_found' }>`
    select become_member(${roomId}::uuid, ${userId}) as outcome`.execute(db);
  return rows[0]?.outcome ?? 'not_found';
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
