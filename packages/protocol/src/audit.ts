import { z } from 'zod';
import { endpoint } from './define.ts';
import { RoomId } from './ids.ts';
import { Time, UserRef } from './objects.ts';
import { NextCursor, PageCursor, QueryLimit } from './paging.ts';

export const AuditEntry = z
  .object({
    id: z.int().min(1),
    act: z.string().describe('What was done: the name of the event, such as `member:ban`.'),
    actor: UserRef,
    target: UserRef.exactOptional().describe('To whom, or whose.'),
    details: z.record(z.string(), z.unknown()).describe('What belongs to the act, such as `role`, `reason` or `seq`.'),
    at: Time,
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.output<typeof AuditEntry>;

export const roomAuditGet = endpoint({
  id: 'roomAuditGet',
  method: 'GET',
  path: '/api/rooms/:id/audit',
  auth: 'user',
  summary: 'Who did what in a room, the latest first; for its owners',
  description: 'An extension of the contract.',
  params: z.object({ id: RoomId }),
  query: z.object({ cursor: PageCursor.exactOptional(), limit: QueryLimit }),
  response: z.object({ entries: z.array(AuditEntry), nextCursor: NextCursor }),
  status: 200,
  errors: ['FORBIDDEN', 'NOT_A_MEMBER', 'NOT_FOUND'],
});
