import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  Ack,
  BroadcastName,
  ClientToServerEvents,
  CommandInput,
  CommandName,
  CommandOutput,
  CommandRequest,
  Endpoint,
  EndpointBody,
  EndpointParams,
  EndpointQuery,
  EndpointResponse,
  LimitValues,
  Message,
  messageHistory,
  messageNewEvent,
  messageSend,
  Payload,
  Presence,
  Rate,
  Room,
  roomCreate,
  roomGet,
  roomJoin,
  roomLeaveDelete,
  roomList,
  roomMessagesGet,
  roomPatch,
  ServerToClientEvents,
  User,
  WordFilter,
} from './index.ts';

// The compiler is the test: a wrong type is an error of `tsc`, since `true` is not assignable to `false`.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Flat<T> = { [K in keyof T]: T[K] };
const holds = <T extends true>(..._cases: T[]): void => {};

test('event maps have exactly the events of the registry', () => {
  holds<Equal<keyof ClientToServerEvents, CommandName>>();
  holds<Equal<keyof ServerToClientEvents, BroadcastName>>();
  holds<Equal<CommandName & 'message:send', 'message:send'>>();
  holds<Equal<Extract<CommandName, 'message:new'>, never>>();
  holds<Equal<Extract<BroadcastName, 'message:new'>, 'message:new'>>();
});

test('a command takes its request and acknowledges its output', () => {
  type Send = Parameters<ClientToServerEvents['message:send']>;
  holds<Equal<Send[0], { roomId: string; content: string; clientMsgId: string; replyTo?: number }>>();
  type Acknowledge = NonNullable<Send[1]>;
  holds<Equal<Parameters<Acknowledge>[0], Ack<{ message: Message; duplicate: boolean }>>>();
  holds<Equal<CommandOutput<typeof messageSend>, { message: Message; duplicate: boolean }>>();
});

test('a broadcast carries its payload', () => {
  holds<Equal<Parameters<ServerToClientEvents['message:new']>, [payload: Message]>>();
  holds<Equal<Payload<typeof messageNewEvent>, Message>>();
  holds<Equal<Parameters<ServerToClientEvents['room:updated']>[0], { room: Room }>>();
});

test('defaults are optional in a request and present in what is handled', () => {
  type Create = CommandInput<typeof roomCreate>;
  holds<Equal<Create, { name: string; kind: 'public' | 'private'; topic?: string }>>();
  holds<Equal<CommandInput<typeof messageHistory>['limit'], number>>();
  // @ts-expect-error optional fields are absent, never undefined
  const withUndefined: CommandRequest<typeof roomCreate> = { name: 'Tea', topic: undefined };
  const minimal: CommandRequest<typeof roomCreate> = { name: 'Tea' };
  const nothing: CommandRequest<typeof roomList> = undefined;
  assert.deepEqual([withUndefined.name, minimal.name, nothing], ['Tea', 'Tea', undefined]);
});

test('a join has a room id or a name', () => {
  const byId: CommandRequest<typeof roomJoin> = { roomId: 'x', history: 0 };
  const byName: CommandRequest<typeof roomJoin> = { name: 'Tea', create: true };
  // @ts-expect-error not both
  const both: CommandRequest<typeof roomJoin> = { roomId: 'x', name: 'Tea' };
  // @ts-expect-error not neither
  const neither: CommandRequest<typeof roomJoin> = { history: 5 };
  const target = (input: CommandInput<typeof roomJoin>): string =>
    input.roomId === undefined ? `${input.name} ${input.create}` : input.roomId;
  assert.equal(target({ roomId: 'x', history: 50 }), 'x');
  assert.ok(byId && byName && both && neither);
});

test('objects leave absent fields out', () => {
  holds<Equal<Flat<Presence>, Flat<Pick<User, 'id' | 'status' | 'statusText' | 'lastSeenAt'>>>>();
  // @ts-expect-error optional fields are absent, never undefined
  const user: User = { id: 'ana', name: 'Ana', status: 'online', statusText: undefined };
  assert.ok(user);
});

test('routes have the types of their parts', () => {
  holds<Equal<EndpointParams<typeof roomGet>, { id: string }>>();
  holds<Equal<EndpointBody<typeof roomGet>, undefined>>();
  holds<Equal<EndpointResponse<typeof roomGet>, { room: Room }>>();
  holds<Equal<EndpointResponse<typeof roomLeaveDelete>, undefined>>();
  interface Changes {
    name?: string;
    topic?: string;
    membersCanInvite?: boolean;
    slowModeMs?: number;
    wordFilter?: WordFilter;
  }
  holds<Equal<Flat<EndpointBody<typeof roomPatch>>, Flat<Changes>>>();
  holds<Equal<EndpointQuery<typeof roomMessagesGet>['limit'], number>>();
  holds<Equal<(typeof roomGet)['auth'], 'user'>>();
  const generic: Endpoint[] = [] satisfies (typeof roomGet)[];
  assert.deepEqual(generic, []);
});

test('limits have the types of their forms', () => {
  holds<Equal<LimitValues['DRAIN_MS'], number>>();
  holds<Equal<LimitValues['MAX_CONNECTIONS'], number | null>>();
  holds<Equal<LimitValues['RATE_JOIN'], Rate | null>>();
});
