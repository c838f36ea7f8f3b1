import type { Message } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import type { SocketRequest } from '../../platform/sockets/handle.ts';
import { applyContentRules, requireLength } from '../content/content.ts';
import { accessRoom } from '../rooms/access.ts';
import { changeMessage, type Change } from './changes.sql.ts';
import { newId } from './new-id.ts';
import { toMessage } from './view.ts';
import { toChangeEntry } from './wire.ts';

/**
 * Edits, deletes, or reacts to a message; the room is told once it is committed. Who may do what is decided by the
 * commit, under the room's lock.
 *
 * @throws ChatError `MESSAGE_TOO_LONG`, `VALIDATION_ERROR` (the content rules), `NOT_A_MEMBER`, `NOT_FOUND`,
 *   `FORBIDDEN`, `CONFLICT`, `MUTED`, `UNAVAILABLE`
 */
export async function applyChange(
  ctx: Context,
  { actor, socket }: SocketRequest,
  { roomId, seq }: { roomId: string; seq: number },
  change: Change,
): Promise<{ message: Message }> {
  if (change.kind === 'edit') requireLength(ctx, change.content);
  const changeId = newId();
  const target = { roomId, seq, actorId: actor.user.id, changeId };
  const row = await ctx.roomTurns.take(roomId, async () => {
    const allowed =
      change.kind === 'edit'
        ? { ...change, content: await contentToStore(ctx, actor, roomId, change.content) }
        : change;
    if (!socket.data.echo) ctx.streams.expectOwn(changeId, socket);
    return changeMessage(ctx.db, target, allowed).catch((error: unknown) => {
      if (!socket.data.echo) ctx.streams.failOwn(changeId, roomId, socket);
      throw error;
    });
  });
  if (row.outcome === 'changed') {
    const message = toMessage(row);
    const entry = toChangeEntry(message, changeId);
    ctx.announce(roomId, [entry]);
    ctx.streams.settleOwn(changeId, { roomId, entry });
    return { message };
  }
  ctx.streams.settleOwn(changeId);
  switch (row.outcome) {
    case 'unchanged':
      return { message: toMessage(row) };
    case 'not_a_member':
      await accessRoom(ctx, actor, { roomId, to: 'take part' });
      throw new ChatError('NOT_A_MEMBER');
    case 'not_found':
      throw new ChatError('NOT_FOUND', { message: 'There is no message with this seq' });
    case 'forbidden':
      throw new ChatError('FORBIDDEN', { message: "Somebody else's message" });
    case 'deleted':
      throw new ChatError('CONFLICT', { message: 'The message is deleted' });
    case 'too_many':
      throw new ChatError('CONFLICT', { message: 'The message has too many different reactions' });
    case 'muted':
      throw mutedUntil(row.muted_until);
  }
}

/** Who is no member is told that, and not what the rules say. */
async function contentToStore(ctx: Context, actor: Identity, roomId: string, content: string): Promise<string> {
  const rule = ctx.content.ofRooms.of(roomId);
  await rule.ready;
  try {
    return applyContentRules(ctx, content, rule.words);
  } catch (error) {
    await accessRoom(ctx, actor, { roomId, to: 'take part' });
    throw error;
  }
}

export function mutedUntil(until: Date | null): ChatError {
  return new ChatError('MUTED', {
    details: { until: until?.toISOString() ?? '' },
    retryAfterMs: Math.max(0, (until?.getTime() ?? 0) - Date.now()),
  });
}
