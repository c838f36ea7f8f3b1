import { z } from 'zod';
import { broadcast, command, endpoint } from './define.ts';
import { ClientMsgId, Position, RoomId, Seq } from './ids.ts';
import { Message } from './objects.ts';
import { Limit, QueryLimit, queryNumber } from './paging.ts';
import { Content, Emoji } from './text.ts';

const NewMessage = z.object({ content: Content, clientMsgId: ClientMsgId, replyTo: Seq.exactOptional() });
const MessageData = z.object({ message: Message });
const SentData = z.object({
  message: Message,
  duplicate: z.boolean().describe('This `clientMsgId` was sent before; the message is the one of then.'),
});
const PageData = z.object({
  messages: z.array(Message).describe('By ascending `seq`.'),
  hasMore: z.boolean().describe('There is more in the direction asked for; with `around`: on either side.'),
});

const oneMessage = { roomId: RoomId, seq: Seq };

/** Of the three places where a page can be, at most one. */
const atMostOnePlace = {
  check: (page: { before?: number; after?: number; around?: number }) =>
    Number(page.before !== undefined) + Number(page.after !== undefined) + Number(page.around !== undefined) <= 1,
  error: 'must have at most one of before, after and around',
};

export const messageSend = command('message:send', {
  summary: 'Sends a message',
  description: 'The same `clientMsgId` of the same sender in the same room is one message, however often it is sent.',
  input: z.object({ roomId: RoomId, ...NewMessage.shape }),
  output: SentData,
});

export const messageEdit = command('message:edit', {
  summary: 'Changes the content of a message; for its author',
  input: z.object({ ...oneMessage, content: Content }),
  output: MessageData,
});

export const messageDelete = command('message:delete', {
  summary: 'Empties a message and keeps its place; authors their own, moderators and owners any',
  input: z.object(oneMessage),
  output: MessageData,
});

export const messageReact = command('message:react', {
  summary: 'Sets or takes back a reaction',
  input: z.object({ ...oneMessage, emoji: Emoji, on: z.boolean() }),
  output: MessageData,
});

export const messageHistory = command('message:history', {
  summary: 'A page of messages before, after or around a `seq`; without one the newest page',
  input: z
    .object({
      roomId: RoomId,
      before: Position.exactOptional(),
      after: Position.exactOptional(),
      around: Seq.exactOptional(),
      limit: Limit,
    })
    .refine(atMostOnePlace.check, atMostOnePlace.error),
  output: PageData,
});

export const messageNewEvent = broadcast('message:new', {
  summary: 'A new message, in the order of `seq`',
  description: 'The socket that sent it has it from its acknowledgement instead, unless it connected with `echo`.',
  payload: Message,
});

export const messageUpdatedEvent = broadcast('message:updated', {
  summary: 'A message changed; it carries its new `rev`',
  description: 'The socket that asked has it from its acknowledgement instead, unless it connected with `echo`.',
  payload: Message,
});

const params = z.object({ id: RoomId });

export const roomMessagesGet = endpoint({
  id: 'roomMessagesGet',
  method: 'GET',
  path: '/api/rooms/:id/messages',
  auth: 'user',
  summary: 'A page of messages before, after or around a `seq`; without one the newest page',
  params,
  query: z
    .object({
      before: queryNumber(Position).exactOptional(),
      after: queryNumber(Position).exactOptional(),
      around: queryNumber(Seq).exactOptional(),
      limit: QueryLimit,
    })
    .refine(atMostOnePlace.check, atMostOnePlace.error),
  response: PageData,
  status: 200,
  errors: ['NOT_A_MEMBER', 'NOT_FOUND'],
});

export const roomMessagesPost = endpoint({
  id: 'roomMessagesPost',
  method: 'POST',
  path: '/api/rooms/:id/messages',
  auth: 'user',
  summary: 'Sends a message; how a backend or a bot speaks',
  params,
  body: NewMessage,
  response: SentData,
  status: 201,
  statusIfExisting: 200,
  errors: ['MESSAGE_TOO_LONG', 'FORBIDDEN', 'NOT_A_MEMBER', 'NOT_FOUND', 'RATE_LIMITED', 'MUTED'],
});
