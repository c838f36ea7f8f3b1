import type { Database } from '@parley/database';
import type { Kysely, Transaction } from 'kysely';

/** The key by which a pair has one room, whoever opens it. A space is in no user id. */
export function directKey(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}

export async function findDirectRoomId(db: Kysely<Database>, key: string): Promise<string | undefined> {
  const row = await db.selectFrom('rooms').where('direct_key', '=', key).select('id').executeTakeFirst();
  return row?.id;
}

/**
 * Makes the room of a pair with both as members.
 *
 * @returns false when somebody was faster; then the room is committed
 */
export async function insertDirectRoom(
  trx: Transaction<Database>,
  room: { id: string; makerId: string; otherId: string },
): Promise<boolean> {
  const { id, makerId, otherId } = room;
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('rooms')
    .values({
      id,
      kind: 'direct',
      name: '', // each of them sees the other's name
      name_key: '',
      created_by: makerId,
      direct_key: directKey(makerId, otherId),
      member_count: 2,
    })
    .onConflict((conflict) => conflict.column('direct_key').doNothing())
    .executeTakeFirstOrThrow();
  if (!numInsertedOrUpdatedRows) return false;
  await trx
    .insertInto('members')
    .values([makerId, otherId].toSorted().map((userId) => ({ room_id: id, user_id: userId })))
    .execute();
  return true;
}
