import { z } from 'zod';
import { Position } from './ids.ts';

// What the server sends. Fields that are not listed are ignored, so a newer server does not break an older client.

/** ISO 8601, UTC, with milliseconds: `2026-01-31T12:00:00.000Z`. */
export const Time = z.iso.datetime({ precision: 3 }).meta({ id: 'Time', description: 'ISO 8601, UTC, milliseconds.' });

export const Status = z.enum(['online', 'away', 'dnd', 'offline']).meta({ id: 'Status' });
export type Status = z.output<typeof Status>;

export const RoomKind = z.enum(['public', 'private', 'direct']).meta({ id: 'RoomKind' });
export type RoomKind = z.output<typeof RoomKind>;

export const Role = z.enum(['owner', 'moderator', 'member']).meta({ id: 'Role' });
export type Role = z.output<typeof Role>;

/** Who someone is, and no more. */
export const UserRef = z.object({ id: z.string(), name: z.string() }).meta({ id: 'UserRef' });
export type UserRef = z.output<typeof UserRef>;

export const User = z
  .object({
    id: z.string(),
    name: z.string(),
    avatarUrl: z.string().exactOptional(),
    status: Status,
    statusText: z.string().exactOptional(),
    lastSeenAt: Time.exactOptional().describe('When offline, if the user was ever online.'),
  })
  .meta({ id: 'User' });
export type User = z.output<typeof User>;

export const MemberUser = User.extend({ role: Role }).meta({ id: 'MemberUser' });
export type MemberUser = z.output<typeof MemberUser>;

/** The part of a user that comes and goes. */
export const Presence = User.pick({ id: true, status: true, statusText: true, lastSeenAt: true }).meta({
  id: 'Presence',
});
export type Presence = z.output<typeof Presence>;

/** What a member has of a room. */
export const Membership = z
  .object({
    role: Role,
    lastReadSeq: Position,
    unread: Position.describe(
      '`headSeq - lastReadSeq`. A deleted message keeps its place, so it counts as it did before.',
    ),
    mutedUntil: Time.exactOptional(),
  })
  .meta({ id: 'Membership' });
export type Membership = z.output<typeof Membership>;

export const Room = z
  .object({
    id: z.uuid(),
    name: z.string(),
    kind: RoomKind,
    topic: z.string().exactOptional(),
    createdAt: Time,
    createdBy: z.string().describe('The id of the user who made the room.'),
    headSeq: Position.describe('The `seq` of the latest message; 0: none yet.'),
    headRev: Position.describe('The `rev` of the latest change; 0: none yet.'),
    memberCount: Position,
    onlineCount: Position.describe('Members who are online, hearing this room or not.'),
    slowModeMs: z
      .int()
      .min(1)
      .exactOptional()
      .describe('The least time between two messages of a plain member, in ms. An extension.'),
    me: Membership.exactOptional().describe('For members.'),
    peer: User.exactOptional().describe('The other one of a direct room, whose name is the name of the room.'),
  })
  .meta({ id: 'Room' });
export type Room = z.output<typeof Room>;

export const Reaction = z
  .object({ emoji: z.string(), count: Position, userIds: z.array(z.string()).describe('The first 20 users.') })
  .meta({ id: 'Reaction' });
export type Reaction = z.output<typeof Reaction>;

export const Message = z
  .object({
    id: z.uuid(),
    roomId: z.uuid(),
    seq: z.int().min(1).describe('1, 2, 3, ... in the room, without a gap.'),
    rev: z.int().min(1).exactOptional().describe('The number of the latest change to this message in the room.'),
    sender: UserRef,
    content: z.string().describe('Text, not HTML. Empty when deleted.'),
    clientMsgId: z.string(),
    createdAt: Time,
    replyTo: z.int().min(1).exactOptional().describe('The `seq` of the message that this one answers.'),
    editedAt: Time.exactOptional(),
    deletedAt: Time.exactOptional(),
    reactions: z.array(Reaction).exactOptional(),
    mentions: z.array(z.string()).exactOptional().describe('The ids of the users that the content names.'),
    attachments: z.array(z.looseObject({})).exactOptional().describe('Reserved.'),
  })
  .meta({ id: 'Message' });
export type Message = z.output<typeof Message>;
