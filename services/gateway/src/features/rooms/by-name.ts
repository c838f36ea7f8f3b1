import { roomNameKey } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { createRoom } from './rooms.ts';
import { findPublicRoomId } from './rooms.sql.ts';

/**
 * The public room of a name, made when asked for.
 *
 * @throws ChatError `NOT_FOUND`
 */
export async function roomIdByName(
  ctx: Context,
  actor: Identity,
  { name, create }: { name: string; create: boolean },
): Promise<string> {
  const nameKey = roomNameKey(name);
  const found = await findPublicRoomId(ctx.db, nameKey);
  if (found !== undefined) return found;
  if (!create) throw new ChatError('NOT_FOUND');
  try {
    const { room } = await createRoom(ctx, actor, { name, kind: 'public' });
    return room.id;
  } catch (error) {
    // Somebody was faster: then it is that room.
    const existing =
      error instanceof ChatError && error.code === 'CONFLICT' ? await findPublicRoomId(ctx.db, nameKey) : undefined;
    if (existing === undefined) throw error;
    return existing;
  }
}
