import { z } from 'zod';
import { command, endpoint } from './define.ts';
import { RoomId, Seq } from './ids.ts';
import { Message, Time, UserRef } from './objects.ts';
import { NextCursor, PageCursor, QueryLimit } from './paging.ts';
import { Reason } from './text.ts';

const EXTENSION = 'An extension of the contract.';

/** What somebody has against a message. */
export const Report = z
  .object({
    id: z.uuid(),
    reporter: UserRef,
    reason: z.string().exactOptional(),
    createdAt: Time,
    message: Message.describe('As it is now.'),
  })
  .meta({ id: 'Report' });
export type Report = z.output<typeof Report>;

export const messageReport = command('message:report', {
  summary: 'Brings a message before the moderators and owners of its room; for members',
  description: `${EXTENSION} A message that one has reported already stays reported once. In a direct room, which has no moderators, it is \`FORBIDDEN\`; a deleted message is \`CONFLICT\`.`,
  input: z.object({ roomId: RoomId, seq: Seq, reason: Reason.exactOptional() }),
  output: z.object({}),
});

export const roomReportsGet = endpoint({
  id: 'roomReportsGet',
  method: 'GET',
  path: '/api/rooms/:id/reports',
  auth: 'user',
  summary: 'The open reports of a room, the oldest first; for its moderators and owners',
  description: EXTENSION,
  params: z.object({ id: RoomId }),
  query: z.object({ cursor: PageCursor.exactOptional(), limit: QueryLimit }),
  response: z.object({ reports: z.array(Report), nextCursor: NextCursor }),
  status: 200,
  errors: ['FORBIDDEN', 'NOT_A_MEMBER', 'NOT_FOUND'],
});

export const roomReportResolve = endpoint({
  id: 'roomReportResolve',
  method: 'POST',
  path: '/api/rooms/:id/reports/:reportId/resolve',
  auth: 'user',
  summary: 'Closes a report; for moderators and owners. Closing it again is no error',
  description: EXTENSION,
  params: z.object({ id: RoomId, reportId: RoomId }),
  status: 204,
  errors: ['NOT_A_MEMBER', 'NOT_FOUND'],
});
