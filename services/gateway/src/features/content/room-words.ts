import type { Database } from '@parley/database';
import type { WordFilter } from '@parley/protocol';
import type { Transaction } from 'kysely';
import { isDeepStrictEqual } from 'node:util';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { accessRoom } from '../rooms/access.ts';
import { deleteWordRule, findWordRules, upsertWordRule } from './content.sql.ts';

/** @throws ChatError `NOT_FOUND`, `NOT_A_MEMBER`, `FORBIDDEN` for plain members: they should not read it like a list */
export async function getRoomWords(ctx: Context, actor: Identity, roomId: string): Promise<{ wordFilter: WordFilter }> {
  const room = await accessRoom(ctx, actor, { roomId, to: 'take part' });
  if (room.kind === 'direct' || room.my_role === 'member') {
    throw new ChatError('FORBIDDEN', { message: 'For moderators and owners of the room' });
  }
  const [rule] = await findWordRules(ctx.db, [roomId]);
  return { wordFilter: rule ? { mode: rule.mode, words: rule.words } : { mode: 'off', words: [] } };
}

/**
 * Sets a room's rule about words; who may is for the caller to know, and to say after the commit that it has changed.
 *
 * @returns whether it was another one
 */
export async function setRoomWords(
  trx: Transaction<Database>,
  roomId: string,
  { mode, words }: WordFilter,
): Promise<boolean> {
  const [before] = await findWordRules(trx, [roomId]);
  const now = mode === 'off' || words.length === 0 ? undefined : { room_id: roomId, mode, words };
  if (isDeepStrictEqual(before && { ...before }, now)) return false;
  await (now ? upsertWordRule(trx, now) : deleteWordRule(trx, roomId));
  return true;
}
