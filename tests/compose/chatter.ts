import assert from 'node:assert/strict';
import type { Message } from '@parley/protocol';
import { eventually, type Owner } from '@parley/test-support';
import { connect, type Client, type ConnectOptions } from '../support/client.ts';

/**
 * Somebody in a room who comes back by itself, as an application does: after each connect it joins again from the last
 * message that it knows.
 */
export class Chatter {
  readonly client: Client;
  /** Every message that was heard, sent, or brought by a join. */
  readonly known: Message[] = [];
  readonly #roomName: string;
  #roomId: string | undefined;
  /** The session whose stream is heard; undefined while joining. */
  #joinedAs: string | undefined;
  #failure: Error | undefined;

  private constructor(client: Client, roomName: string) {
    this.client = client;
    this.#roomName = roomName;
    client.socket.on('message:new', (message: Message) => this.known.push(message));
    client.socket.on('connect', () => {
      const { id } = client.socket;
      this.#join().catch((error: unknown) => {
        // A join that was lost with its connection is made again on the next one.
        if (client.socket.id === id) this.#failure = error as Error;
      });
    });
  }

  static async enter(
    owner: Owner,
    where: { url: string; roomName: string },
    userId: string,
    options: ConnectOptions = {},
  ): Promise<Chatter> {
    const client = await connect(owner, where, userId, { reconnection: true, ...options });
    const chatter = new Chatter(client, where.roomName);
    await chatter.#join();
    return chatter;
  }

  /** The name that HAProxy has for the gateway of this session. */
  get gateway(): string {
    return this.client.socket.io.engine?.id?.split('.')[0] ?? '';
  }

  /** Empty before it has joined. */
  get roomId(): string {
    return this.#roomId ?? '';
  }

  /** Waits until it is connected and hears the room. */
  async present(timeoutMs = 30_000): Promise<void> {
    await eventually(
      () => {
        if (this.#failure) throw this.#failure;
        const { connected, id } = this.client.socket;
        assert.ok(connected && id !== undefined && this.#joinedAs === id, `connected ${connected}, in the room or not`);
      },
      { timeoutMs, message: `${this.client.userId} comes back` },
    );
  }

  async send(content: string): Promise<Message> {
    const message = await this.client.send(this.roomId, content);
    this.known.push(message);
    return message;
  }

  /** Waits for a message, and then holds all that is known against the promise: no gap up to it, and no repeat. */
  async knowsAllUpTo(last: Message): Promise<void> {
    const { userId } = this.client;
    await eventually(() => assert.ok(this.known.some(({ id }) => id === last.id)), {
      message: `${userId} waits for "${last.content}"`,
    });
    const seqs = this.known.map(({ seq }) => seq).toSorted((a, b) => a - b);
    const faults = seqs.filter((seq, index) => index > 0 && seq !== (seqs[index - 1] ?? 0) + 1);
    assert.deepEqual(faults, [], `${userId} knows these after a gap, or twice`);
    assert.equal(seqs.at(-1), last.seq);
  }

  async #join(): Promise<void> {
    const { id } = this.client.socket;
    this.#joinedAs = undefined;
    const room = this.#roomId === undefined ? { name: this.#roomName, create: true } : { roomId: this.#roomId };
    const cursor = this.#roomId === undefined ? {} : { cursor: { seq: this.known.at(-1)?.seq ?? 0 } };
    const joined = await this.client.ok('room:join', { ...room, ...cursor });
    this.known.push(...joined.messages);
    this.#roomId = joined.room.id;
    this.#joinedAs = id;
  }
}
