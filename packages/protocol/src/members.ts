import { z } from 'zod';
import { command, endpoint } from './define.ts';
import { Position, RoomId, UserId } from './ids.ts';
import { MemberUser, Role } from './objects.ts';
import { Limit, NextCursor, PageCursor, QueryLimit } from './paging.ts';
import { Reason } from './text.ts';

/** The longest that somebody can be muted: 100 years. More would leave what dates can hold. */
export const MUTE_MAX_MS = 100 * 365 * 86_400_000;

const target = { roomId: RoomId, userId: UserId };
const MembersData = z.object({ members: z.array(MemberUser), online: Position, nextCursor: NextCursor });

export const roomMembers = command('room:members', {
  summary: 'Lists the members of a room',
  input: z.object({ roomId: RoomId, cursor: PageCursor.exactOptional(), limit: Limit }),
  output: MembersData,
});

export const memberAdd = command('member:add', {
  summary: 'Makes somebody a member',
  description:
    'For owners and moderators. Members may add others to public rooms, and to private rooms whose `membersCanInvite` is ' +
    'set. Who is banned can not be added (`FORBIDDEN`) until the ban is lifted. Adding a member changes nothing.',
  input: z.object(target),
  output: z.object({}),
});

export const memberRemove = command('member:remove', {
  summary: 'Ends a membership; removing oneself is leaving for good',
  description:
    'Moderators may remove plain members only. When the last owner leaves, the room passes to the oldest moderator, else ' +
    'to the oldest member.',
  input: z.object(target),
  output: z.object({}),
});

export const memberRole = command('member:role', {
  summary: 'Gives a member a role; for owners',
  description: 'The only owner can not be demoted (`CONFLICT`).',
  input: z.object({ ...target, role: Role }),
  output: z.object({}),
});

export const memberMute = command('member:mute', {
  summary: 'Keeps a member from sending for a while',
  input: z.object({
    ...target,
    forMs: z.int().min(0).max(MUTE_MAX_MS).describe('Milliseconds; 0 lifts it.'),
  }),
  output: z.object({}),
});

export const memberBan = command('member:ban', {
  summary: 'Keeps somebody out of a room, member or not, or lets them back in',
  description: 'A ban ends the membership. Lifting it does not bring the membership back. Nobody can ban themselves.',
  input: z.object({ ...target, on: z.boolean(), reason: Reason.exactOptional() }),
  output: z.object({}),
});

export const roomMembersGet = endpoint({
  id: 'roomMembersGet',
  method: 'GET',
  path: '/api/rooms/:id/members',
  auth: 'user',
  summary: 'Lists the members of a room',
  params: z.object({ id: RoomId }),
  query: z.object({ cursor: PageCursor.exactOptional(), limit: QueryLimit }),
  response: MembersData,
  status: 200,
  errors: ['NOT_FOUND'],
});

export const roomLeaveDelete = endpoint({
  id: 'roomLeaveDelete',
  method: 'DELETE',
  path: '/api/rooms/:id/members/me',
  auth: 'user',
  summary: 'Leaves a room for good',
  params: z.object({ id: RoomId }),
  status: 204,
  errors: ['FORBIDDEN', 'NOT_A_MEMBER', 'NOT_FOUND'],
});
