import { z } from 'zod';
import { broadcast, command, endpoint } from './define.ts';
import { RoomId } from './ids.ts';
import { Room } from './objects.ts';
import { Limit, NextCursor, PageCursor, QueryLimit } from './paging.ts';
import { RoomName, Search, Topic } from './text.ts';
import { WordFilter } from './word-filter.ts';

const RoomData = z.object({ room: Room });
const RoomsData = z.object({ rooms: z.array(Room), nextCursor: NextCursor });

const NewRoom = z.object({
  name: RoomName,
  kind: z.enum(['public', 'private']).default('public'),
  topic: Topic.exactOptional(),
});

const Scope = z.enum(['public', 'mine']).default('public');

export const roomCreate = command('room:create', {
  summary: 'Makes a room; its maker is its owner and hears it',
  input: NewRoom,
  output: RoomData,
});

export const roomList = command('room:list', {
  summary: 'Lists public rooms, or the rooms one is a member of, latest activity first',
  input: z
    .object({
      scope: Scope,
      search: Search.exactOptional(),
      cursor: PageCursor.exactOptional(),
      limit: Limit,
    })
    .prefault({}),
  output: RoomsData,
});

export const roomAddedEvent = broadcast('room:added', {
  summary: 'One became a member of a room',
  payload: RoomData,
});

export const roomRemovedEvent = broadcast('room:removed', {
  summary: 'One is no longer a member of a room',
  payload: z.object({ roomId: z.string(), reason: z.string() }),
});

export const roomUpdatedEvent = broadcast('room:updated', {
  summary: 'A room changed; it comes without `me`',
  payload: RoomData,
});

/** The longest slow mode: 6 hours. */
export const SLOW_MODE_MAX_MS = 21_600_000;

const roomParams = z.object({ id: RoomId });

export const roomsGet = endpoint({
  id: 'roomsGet',
  method: 'GET',
  path: '/api/rooms',
  auth: 'user',
  summary: 'Lists public rooms, or the rooms one is a member of, latest activity first',
  query: z.object({
    scope: Scope,
    search: Search.exactOptional(),
    cursor: PageCursor.exactOptional(),
    limit: QueryLimit,
  }),
  response: RoomsData,
  status: 200,
});

export const roomsPost = endpoint({
  id: 'roomsPost',
  method: 'POST',
  path: '/api/rooms',
  auth: 'user',
  summary: 'Makes a room; its maker is its owner',
  body: NewRoom,
  response: RoomData,
  status: 201,
  errors: ['CONFLICT', 'RATE_LIMITED'],
});

export const roomGet = endpoint({
  id: 'roomGet',
  method: 'GET',
  path: '/api/rooms/:id',
  auth: 'user',
  summary: 'One room',
  params: roomParams,
  response: RoomData,
  status: 200,
  errors: ['NOT_FOUND'],
});

export const roomPatch = endpoint({
  id: 'roomPatch',
  method: 'PATCH',
  path: '/api/rooms/:id',
  auth: 'user',
  summary: 'Changes a room; for its owners, not for direct rooms',
  params: roomParams,
  body: z
    .object({
      name: RoomName.exactOptional(),
      topic: Topic.exactOptional().describe('Empty removes it.'),
      membersCanInvite: z.boolean().exactOptional().describe('Members may add others to this private room.'),
      slowModeMs: z
        .int()
        .min(0)
        .max(SLOW_MODE_MAX_MS)
        .exactOptional()
        .describe('The least time between two messages of a plain member, in ms; 0: none. An extension.'),
      wordFilter: WordFilter.exactOptional().describe('Replaces what was there. An extension.'),
    })
    .prefault({}),
  response: RoomData,
  status: 200,
  errors: ['FORBIDDEN', 'NOT_A_MEMBER', 'NOT_FOUND', 'CONFLICT'],
});
