import type { Database, RoomWordFilterRow } from '@parley/database';
import type { Kysely, Transaction } from 'kysely';

/** Of those of the rooms that have one. */
export function findWordRules(db: Kysely<Database>, roomIds: readonly string[]): Promise<RoomWordFilterRow[]> {
  return db
    .selectFrom('room_word_filters')
    .where((eb) => eb('room_id', '=', eb.fn.any(eb.val(roomIds as string[]))))
    .select(['room_id', 'mode', 'words'])
    .execute();
}

export async function upsertWordRule(trx: Transaction<Database>, rule: RoomWordFilterRow): Promise<void> {
  await trx
    .insertInto('room_word_filters')
    .values(rule)
    .onConflict((conflict) => conflict.column('room_id').doUpdateSet({ mode: rule.mode, words: rule.words }))
    .execute();
}

export async function deleteWordRule(trx: Transaction<Database>, roomId: string): Promise<void> {
  await trx.deleteFrom('room_word_filters').where('room_id', '=', roomId).execute();
}
