import { z } from 'zod';
import { broadcast, command } from './define.ts';
import { Position, RoomId } from './ids.ts';

export const messageRead = command('message:read', {
  summary: 'Marks a room as read up to a message; never moves back',
  description: 'Beyond the head counts as the head.',
  input: z.object({ roomId: RoomId, seq: Position.describe('0 in a room without messages.') }),
  output: z.object({ lastReadSeq: Position, unread: Position }),
});

export const messageReadEvent = broadcast('message:read', {
  summary: 'Somebody, or another device of oneself, has read up to a message; coalesced',
  payload: z.object({ roomId: z.string(), userId: z.string(), seq: Position }),
});
