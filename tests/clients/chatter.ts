import assert from 'node:assert/strict';
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
  type Payload,
} from '@parley/protocol';
import { eventually, within, type Owner } from '@parley/test-support';
import type { Library, LibraryClient, Mode } from './library.ts';

type Commands = typeof commands;
type Broadcasts = typeof broadcasts;

export interface ChatterOptions {
  library: Library;
  mode: Mode;
  url: string;
  token: string;
}

/** A person who chats through some library. What arrives is held to the contract's shapes. */
export class Chatter {
  readonly library: Library;
  readonly mode: Mode;
  readonly client: LibraryClient;

  private constructor({ library, mode }: ChatterOptions, client: LibraryClient) {
    this.library = library;
    this.mode = mode;
    this.client = client;
  }

  static open(owner: Owner, options: ChatterOptions): Chatter {
    const { library, mode, url, token } = options;
    const client = library.open({ url, auth: { token }, mode });
    owner.after(() => client.close());
    return new Chatter(options, client);
  }

  /** The name of the gateway it is connected to. */
  async gateway(): Promise<string> {
    const { sid } = await this.client.connection();
    return sid.split('.')[0] as string;
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

  /** A request that has to fail with this code. */
  async refused(event: string, payload: unknown, code: ErrorCode): Promise<void> {
    const ack = await this.request(event, payload);
    assert.ok(!ack.ok, `${event} did not fail: ${JSON.stringify(ack)}`);
    assert.equal(ack.error.code, code);
  }

  async request(event: string, payload: unknown, timeoutMs?: number): Promise<Ack<unknown>> {
    const ack = await within(this.client.request(event, payload), `the answer to ${event}`, timeoutMs);
    const command = Object.values<Command>(commands).find(({ name }) => name === event);
    return ackOf(command?.output ?? ErrorBody).parse(ack);
  }

  /** Payloads of what was heard of one event so far. */
  all<Name extends BroadcastName>(event: Name): Payload<Broadcasts[Name]>[] {
    const { payload } = broadcasts[event] as Broadcast;
    return this.client.heard
      .filter((one) => one.event === event)
      .map((one) => payload.parse(one.payload) as Payload<Broadcasts[Name]>);
  }

  /** Waits until something was heard that many times (default once). @returns the last payload */
  async hears(event: string, times = 1): Promise<unknown> {
    return eventually(
      () => {
        const payloads = this.client.heard.filter((one) => one.event === event).map((one) => one.payload);
        assert.ok(payloads.length >= times, `heard ${this.summary()}`);
        return payloads.at(-1);
      },
      { message: `waiting for ${event}`, timeoutMs: 15_000 },
    );
  }

  /** How often it was told of a connection. */
  count(event: 'connect' | 'disconnect' | 'connect_error'): number {
    return this.client.heard.filter((one) => one.event === event).length;
  }

  summary(): string {
    const last = this.client.heard.slice(-40);
    return last.map(({ event, payload }) => `${event} ${JSON.stringify(payload)?.slice(0, 60)}`).join('\n');
  }
}
