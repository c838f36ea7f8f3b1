import type { CommandInput, CommandOutput, roomsSync } from '@parley/protocol';
import type { Context } from '../../context.ts';
import type { Head } from '../../delivery/room-stream.ts';
import { ChatError } from '../../platform/errors.ts';
import type { SocketRequest } from '../../platform/sockets/handle.ts';
import { catchUp } from '../messages/catch-up.ts';
import { accessRooms } from '../rooms/access.ts';
import { toRooms } from '../rooms/view.ts';
import { hearAfterAnswer } from './hand-over.ts';

type SyncInput = CommandInput<typeof roomsSync>;
type Cursor = SyncInput['rooms'][number];
type SyncedRoom = CommandOutput<typeof roomsSync>['rooms'][number];

/**
 * Brings what was missed in many rooms, and lets the socket hear them from there. A room that may not be heard is
 * answered with its error and disturbs no other. The number of queries does not grow with the number of rooms.
 */
export async function syncRooms(
  ctx: Context,
  request: SocketRequest,
  { rooms: wanted }: SyncInput,
): Promise<{ rooms: SyncedRoom[] }> {
  const cursors = new Map(wanted.map((room) => [room.roomId, room]));
  const roomIds = [...cursors.keys()];
  // Who may hear a room is decided twice: before, so that nobody's streams are opened for others' rooms, and by the rows
  // that are read under the hold, since only they are as new as the pages. Before, what this gateway knows is enough.
  const unknown = roomIds.filter((roomId) => !ctx.presence.isMember(roomId, request.actor.user.id));
  const before = await accessRooms(ctx, request.actor, { roomIds: unknown, to: 'take part' });
  const heard = roomIds.filter((roomId) => !(before.get(roomId) instanceof ChatError));
  const synced = await hearAfterAnswer(ctx, request, heard, (heads) =>
    readMissed(ctx, request, new Map(heard.map((roomId) => [roomId, cursors.get(roomId) as Cursor])), heads),
  );
  return {
    rooms: wanted.map(({ roomId }) => synced.get(roomId) ?? { roomId, ok: false, error: toBody(before.get(roomId)) }),
  };
}

async function readMissed(
  ctx: Context,
  { actor }: SocketRequest,
  cursors: ReadonlyMap<string, Cursor>,
  heads: Map<string, Head>,
): Promise<Map<string, SyncedRoom>> {
  const access = await accessRooms(ctx, actor, { roomIds: [...cursors.keys()], to: 'take part' });
  const rows = [...access.values()].flatMap((row) => (row instanceof ChatError ? [] : row));
  const [views, missed] = await Promise.all([toRooms(ctx, actor.user.id, rows), catchUp(ctx, rows, cursors)]);
  const synced = new Map(
    views.map((room, index): [string, SyncedRoom] => {
      heads.set(room.id, { seq: room.headSeq, rev: room.headRev });
      return [room.id, { roomId: room.id, ok: true, room, messages: [], truncated: false, ...missed[index] }];
    }),
  );
  for (const [roomId, refusal] of access) {
    if (refusal instanceof ChatError) synced.set(roomId, { roomId, ok: false, error: refusal.toBody() });
  }
  return synced;
}

function toBody(refusal: unknown) {
  return (refusal instanceof ChatError ? refusal : new ChatError('NOT_FOUND')).toBody();
}
