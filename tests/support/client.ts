import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  ackOf,
  broadcasts,
  commands,
  ErrorBody,
  type Ack,
  type Broadcast,
  type BroadcastName,
  type Command,
  type CommandName,
  type CommandOutput,
  type CommandRequest,
  type ErrorCode,
  type Message,
  type Payload,
} from '@parley/protocol';
import { eventually, within, type Owner } from '@parley/test-support';
import { io, type Socket } from 'socket.io-client';
import { token } from './tokens.ts';

type Commands = typeof commands;
type Broadcasts = typeof broadcasts;

export interface Heard {
  event: string;
  payload: unknown;
}

export interface ConnectOptions {
  /** `auth.token`. Default: a good token of the user. */
  token?: string | null;
  /** Everything else of `auth`. */
  auth?: Record<string, unknown>;
  headers?: Record<string, string>;
  transports?: ('websocket' | 'polling')[];
  /** Whether it comes back by itself. Default false. */
  reconnection?: boolean;
}

/** A Socket.IO client that keeps all it hears and holds it to the contract's shapes. */
export class Client {
  readonly socket: Socket;
  /** All events since the beginning, in the order they came. */
  readonly heard: Heard[] = [];
  /** Why the socket was disconnected, each time. */
  readonly disconnects: string[] = [];
  readonly userId: string;

  constructor(userId: string, socket: Socket) {
    this.userId = userId;
    this.socket = socket;
    socket.onAny((event: string, payload: unknown) => {
      const known = Object.values<Broadcast>(broadcasts).find(({ name }) => name === event);
      assert.ok(known, `the contract has no event ${event}`);
      known.payload.parse(payload);
      this.heard.push({ event, payload });
    });
    socket.on('disconnect', (reason) => this.disconnects.push(reason));
  }

  /** The acknowledgement of anything, well-formed or not. */
  async request(event: string, ...args: unknown[]): Promise<Ack<unknown>> {
    const ack: unknown = await within(this.socket.emitWithAck(event, ...args), `the answer to ${event}`);
    const known = Object.values<Command>(commands).find(({ name }) => name === event);
    return ackOf(known?.output ?? ErrorBody).parse(ack);
  }

  /** `data` of a request that has to succeed. */
  async ok<Name extends CommandName>(
    event: Name,
    payload: CommandRequest<Commands[Name]>,
  ): Promise<CommandOutput<Commands[Name]>> {
    const ack = await this.request(event, payload);
    assert.ok(ack.ok, `${event} failed: ${JSON.stringify(ack)}`);
    return ack.data as CommandOutput<Commands[Name]>;
  }

  /** The error of a request that has to fail with this code. */
  async refused(event: string, payload: unknown, code: ErrorCode): Promise<ErrorBody> {
    const ack = await this.request(event, payload);
    assert.ok(!ack.ok, `${event} did not fail: ${JSON.stringify(ack)}`);
    assert.equal(ack.error.code, code, JSON.stringify(ack.error));
    return ack.error;
  }

  async send(roomId: string, content: string, more: { clientMsgId?: string; replyTo?: number } = {}): Promise<Message> {
    const { message } = await this.ok('message:send', { roomId, content, clientMsgId: randomUUID(), ...more });
    return message;
  }

  /** What was heard of one event so far. */
  all<Name extends BroadcastName>(event: Name): Payload<Broadcasts[Name]>[] {
    return this.heard.filter((one) => one.event === event).map((one) => one.payload as Payload<Broadcasts[Name]>);
  }

  /** The first such event that passes, past or to come. Throws after 10 s. */
  waitFor<Name extends BroadcastName>(
    event: Name,
    passes: (payload: Payload<Broadcasts[Name]>) => boolean = () => true,
  ): Promise<Payload<Broadcasts[Name]>> {
    return eventually(
      () => {
        const found = this.all(event).find((payload) => passes(payload));
        assert.ok(found !== undefined, `heard ${JSON.stringify(this.heard).slice(0, 2_000)}`);
        return found;
      },
      { everyMs: 5, message: `${this.userId} waits for ${event}` },
    );
  }

  /** The contents of a room's messages as they were heard. */
  contents(roomId: string): string[] {
    return this.all('message:new')
      .filter((message) => message.roomId === roomId)
      .map((message) => message.content);
  }

  /** Why it was disconnected. Waits for it, at most 10 s. */
  disconnected(timeoutMs = 10_000): Promise<string> {
    return eventually(
      () => {
        const [reason] = this.disconnects;
        assert.ok(reason !== undefined, 'it is still connected');
        return reason;
      },
      { timeoutMs, message: `${this.userId} waits for its disconnect` },
    );
  }

  close(): void {
    this.socket.close();
  }
}

async function open(owner: Owner, url: string, userId: string, options: ConnectOptions): Promise<Client> {
  const { auth = {}, headers = {}, transports = ['websocket'], reconnection = false } = options;
  const given = options.token === undefined ? await token(userId) : options.token;
  const socket = io(url, {
    auth: { ...auth, ...(given !== null && { token: given }) },
    extraHeaders: headers,
    transports,
    reconnection,
    reconnectionDelay: 20,
    forceNew: true,
  });
  owner.after(async () => void socket.close());
  return new Client(userId, socket);
}

/** A client whose session is ready. */
export async function connect(
  owner: Owner,
  { url }: { url: string },
  userId: string,
  options: ConnectOptions = {},
): Promise<Client> {
  const client = await open(owner, url, userId, options);
  let failure: Error | undefined;
  client.socket.once('connect_error', (error) => (failure = error));
  await eventually(() => assert.ok(failure ?? client.all('session:ready').length > 0), {
    everyMs: 5,
    message: 'connecting',
  });
  if (failure) throw failure;
  return client;
}

/** The CONNECT_ERROR of a client that has to be refused. */
export async function connectRefused(
  owner: Owner,
  { url }: { url: string },
  userId: string,
  options: ConnectOptions = {},
): Promise<{ message: string; data: unknown }> {
  const { socket } = await open(owner, url, userId, options);
  const outcome = await within(
    new Promise<{ message: string; data?: unknown } | undefined>((resolve) => {
      socket.once('connect', () => resolve(undefined));
      socket.once('connect_error', (error) => resolve(error));
    }),
    'an answer to CONNECT',
  );
  socket.close();
  assert.ok(outcome, 'it was let in');
  return { message: outcome.message, data: outcome.data };
}
