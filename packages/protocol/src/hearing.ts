import { z } from 'zod';
import { broadcast, command, endpoint } from './define.ts';
import { ErrorBody } from './errors.ts';
import { Position, RoomCursor, RoomId } from './ids.ts';
import { MemberUser, Message, Room, User } from './objects.ts';
import { NextCursor } from './paging.ts';
import { RoomName } from './text.ts';

// Which rooms a socket hears: how it begins, where the stream goes on, how it ends.

/** The most rooms of one `rooms:sync`. */
export const SYNC_ROOMS_MAX = 200;
/** How many messages `room:join` returns when it is not told. */
export const JOIN_HISTORY_DEFAULT = 50;

const changed = z
  .array(Message)
  .exactOptional()
  .describe('Messages up to the given `seq` that changed after the given `rev`, by ascending `rev`.');

/** What a join returns: the room, who is there, and the stream up to `room.headSeq` and `room.headRev`. */
export const JoinedRoom = z
  .object({
    room: Room,
    members: z.array(MemberUser).describe('The first page of `room:members`.'),
    nextCursor: NextCursor,
    online: Position,
    messages: z.array(Message).describe('By ascending `seq`.'),
    changed,
    truncated: z.boolean().describe('Older messages exist; with a cursor: more was missed than is returned.'),
  })
  .meta({ id: 'JoinedRoom' });
export type JoinedRoom = z.output<typeof JoinedRoom>;

const joinOptions = {
  history: z
    .int()
    .min(0)
    .max(100)
    .default(JOIN_HISTORY_DEFAULT)
    .describe('How many of the newest messages to return; not used with a cursor.'),
  cursor: RoomCursor.exactOptional().describe('What one has; what came after it is returned.'),
};

interface JoinOptions {
  history?: number | undefined;
  cursor?: RoomCursor;
}
type JoinRequest = JoinOptions &
  ({ roomId: string; name?: never } | { name: string; create?: boolean; roomId?: never });
type JoinInput = { history: number; cursor?: RoomCursor } & (
  { roomId: string; name?: never } | { name: string; create: boolean; roomId?: never }
);

// One object and a rule instead of a union of two objects: a union answers a bad field with "no alternative fits".
const JoinTarget = z
  .object({
    roomId: RoomId.exactOptional(),
    name: RoomName.exactOptional(),
    create: z.boolean().default(false).describe('Makes a public room of that name if there is none.'),
    ...joinOptions,
  })
  .refine(({ roomId, name }) => (roomId === undefined) !== (name === undefined), {
    error: 'must have either roomId or name',
  })
  .meta({ oneOf: [{ required: ['roomId'] }, { required: ['name'] }] }) as unknown as z.ZodType<JoinInput, JoinRequest>;

export const roomJoin = command('room:join', {
  summary: 'Joins a room, hears it from now on, and returns its newest page or what came after a cursor',
  description: 'By id, or a public room by name.',
  input: JoinTarget,
  output: JoinedRoom,
});

export const roomLeave = command('room:leave', {
  summary: 'Stops hearing a room on this socket; the membership stays',
  input: z.object({ roomId: RoomId }),
  output: z.object({}),
});

export const roomsSync = command('rooms:sync', {
  summary: 'Hears rooms from where one is, and brings what was missed',
  description: 'A room one may not hear is `ok: false` and disturbs no other.',
  input: z.object({
    rooms: z.array(z.object({ roomId: RoomId, seq: Position, rev: Position.exactOptional() })).max(SYNC_ROOMS_MAX),
  }),
  output: z.object({
    rooms: z.array(
      z.discriminatedUnion('ok', [
        z.object({
          roomId: z.string(),
          ok: z.literal(true),
          room: Room,
          messages: z.array(Message),
          changed,
          truncated: z.boolean().describe('More was missed than is returned: this is the newest page.'),
        }),
        z.object({ roomId: z.string(), ok: z.literal(false), error: ErrorBody }),
      ]),
    ),
  }),
});

const joinedOrLeft = z.object({ roomId: z.string(), users: z.array(User), online: Position });

export const roomUserJoinedEvent = broadcast('room:user_joined', {
  summary: 'The first socket of these users began to hear the room',
  payload: joinedOrLeft,
});

export const roomUserLeftEvent = broadcast('room:user_left', {
  summary: 'The last socket of these users ceased to hear the room',
  payload: joinedOrLeft,
});

export const roomResyncEvent = broadcast('room:resync', {
  summary: "The stream of this room can't be continued on this socket: call `rooms:sync`",
  payload: z.object({ roomId: z.string(), headSeq: Position, headRev: Position, reason: z.string() }),
});

export const roomJoinPost = endpoint({
  id: 'roomJoinPost',
  method: 'POST',
  path: '/api/rooms/:id/join',
  auth: 'user',
  summary: 'Becomes a member of a public room and returns what `room:join` returns',
  params: z.object({ id: RoomId }),
  body: z.object(joinOptions).prefault({}),
  response: JoinedRoom,
  status: 200,
  errors: ['FORBIDDEN', 'NOT_FOUND', 'RATE_LIMITED'],
});
