import type { Message } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { inTurn } from '../../platform/sockets/in-turn.ts';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import { applyContentRules, requireLength } from '../content/content.ts';
import { accessRoom } from '../rooms/access.ts';
import { mutedUntil } from './change.ts';
import { messagesBetween, wasSent } from './messages.sql.ts';
import { newId } from './new-id.ts';
import { toMessage } from './view.ts';

export interface SendInput {
  roomId: string;
  content: string;
  clientMsgId: string;
  replyTo?: number;
}

/**
 * Sends a message; it is told to the room once it is committed. Membership is decided by the commit itself, under the
 * room's lock. The rates and the room's rule about words are asked before, and messages of one socket reach the writer in the order they were sent.
 *
 * @param from the socket that sends; it hears its message only when it asked for the echo
 * @throws ChatError `MESSAGE_TOO_LONG`, `VALIDATION_ERROR` (the content rules), `NOT_A_MEMBER`, `NOT_FOUND`, `MUTED`,
 *   `FORBIDDEN` (blocked by the other one of a direct room), `RATE_LIMITED`, `UNAVAILABLE`
 */
export async function sendMessage(
  ctx: Context,
  actor: Identity,
  input: SendInput,
  from?: ChatSocket,
): Promise<{ message: Message; duplicate: boolean }> {
  requireLength(ctx, input.content);
  if (from) ctx.typing.sending(from, input.roomId);
  const admitted = ctx.limits.message(actor.user.id, input.roomId);
  const rule = ctx.content.ofRooms.of(input.roomId);
  const asked = both(admitted, rule.ready);
  await (from ? inTurn(from, asked) : asked);
  // From here to the writer nothing is waited for: that is what keeps the order of one socket's messages.
  let content: string;
  try {
    content = applyContentRules(ctx, input.content, rule.words);
  } catch (error) {
    await requireStored(ctx, actor, input, error);
    content = input.content;
  }
  const id = newId();
  if (from && !from.data.echo) ctx.streams.expectOwn(id, from);
  const outcome = await ctx.writer
    .append({
      id,
      roomId: input.roomId,
      senderId: actor.user.id,
      clientMsgId: input.clientMsgId,
      content,
      replyTo: input.replyTo ?? null,
    })
    .catch((error: unknown) => {
      if (from && !from.data.echo) ctx.streams.failOwn(id, input.roomId, from);
      throw error;
    });
  const { stored } = outcome;
  const entry = stored && outcome.isNew ? ({ log: 'message', number: stored.seq } as const) : undefined;
  ctx.streams.settleOwn(id, entry && { roomId: input.roomId, entry });
  if (stored) return { message: outcome.isNew ? stored : await asItIsNow(ctx, stored), duplicate: !outcome.isNew };
  switch (outcome.refusal) {
    case 'room_not_found':
    case 'not_a_member':
      await accessRoom(ctx, actor, { roomId: input.roomId, to: 'take part' });
      throw new ChatError('NOT_A_MEMBER'); // became one only now: the next try will pass
    case 'muted':
      throw mutedUntil(outcome.mutedUntil);
    case 'blocked':
      throw new ChatError('FORBIDDEN', { message: 'You were blocked' });
    case 'slow_mode':
      throw new ChatError('RATE_LIMITED', {
        message: 'The room is in slow mode',
        retryAfterMs: Math.max(0, (outcome.mutedUntil?.getTime() ?? 0) - Date.now()),
      });
    case 'reply_not_found':
      throw new ChatError('NOT_FOUND', { message: 'There is no message with the seq of replyTo' });
  }
}

/** The commit does not read reactions. Only a message that was changed can have some. */
async function asItIsNow(ctx: Context, stored: Message): Promise<Message> {
  if (stored.rev === undefined) return stored;
  const { roomId, seq } = stored;
  const [row] = await messagesBetween(ctx.db, roomId, { after: seq - 1, upTo: seq, limit: 1 });
  return row ? toMessage(row) : stored;
}

function both(one: Promise<void> | undefined, other: Promise<void> | undefined): Promise<void> | undefined {
  return one && other ? Promise.all([one, other]).then(() => {}) : (one ?? other);
}

/**
 * Content that the rules refuse passes only as the retry of what was stored under other rules. Who is no member is told
 * that, and not what the rules say.
 *
 * @throws `refusal`, or ChatError `NOT_A_MEMBER`, `NOT_FOUND`
 */
async function requireStored(ctx: Context, actor: Identity, input: SendInput, refusal: unknown): Promise<void> {
  await accessRoom(ctx, actor, { roomId: input.roomId, to: 'take part' });
  if (!(await wasSent(ctx.db, { ...input, senderId: actor.user.id }))) throw refusal;
}
