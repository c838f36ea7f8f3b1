import { z } from 'zod';
import { broadcast, command, endpoint } from './define.ts';
import { Position, RoomId, Seq } from './ids.ts';
import { User } from './objects.ts';
import { Limit, NextCursor, PageCursor, QueryLimit, queryNumber } from './paging.ts';

const ReadersData = z.object({
  readers: z.array(User).describe('By user id.'),
  nextCursor: NextCursor,
});

const whoCounts =
  'An extension of the contract. Members of today whose `lastReadSeq` is at or behind the message; without its sender, ' +
  'and without those who became members after it was sent.';

export const messageRead = command('message:read', {
  summary: 'Marks a room as read up to a message; never moves back',
  description: 'Beyond the head counts as the head.',
  input: z.object({ roomId: RoomId, seq: Position.describe('0 in a room without messages.') }),
  output: z.object({ lastReadSeq: Position, unread: Position }),
});

export const messageReaders = command('message:readers', {
  summary: 'Lists who has read a message',
  description: whoCounts,
  input: z.object({ roomId: RoomId, seq: Seq, cursor: PageCursor.exactOptional(), limit: Limit }),
  output: ReadersData,
});

export const messageReadEvent = broadcast('message:read', {
  summary: 'Somebody, or another device of oneself, has read up to a message; coalesced',
  description:
    'What did not move is not told. The device that asked has it from its acknowledgement. Where somebody reads on ' +
    'several devices at once the highest `seq` counts, whichever comes last.',
  payload: z.object({ roomId: z.string(), userId: z.string(), seq: Position }),
});

export const roomReadersGet = endpoint({
  id: 'roomReadersGet',
  method: 'GET',
  path: '/api/rooms/:id/messages/:seq/readers',
  auth: 'user',
  summary: 'Lists who has read a message',
  description: whoCounts,
  params: z.object({ id: RoomId, seq: queryNumber(Seq) }),
  query: z.object({ cursor: PageCursor.exactOptional(), limit: QueryLimit }),
  response: ReadersData,
  status: 200,
  errors: ['NOT_A_MEMBER', 'NOT_FOUND'],
});
