import { randomUUID } from 'node:crypto';
import type { Message } from '@parley/protocol';
import { eventually, type Owner } from '@parley/test-support';
import type { ConnectOptions } from '../support/client.ts';
import { talkDuring } from './bot.ts';
import { Chatter } from './chatter.ts';

/** Several people in one room of a cluster. */
export class Company {
  readonly members: Chatter[] = [];
  readonly #owner: Owner;
  readonly #url: string;
  readonly #roomName = `Room ${randomUUID().slice(0, 8)}`;

  constructor(owner: Owner, url: string) {
    this.#owner = owner;
    this.#url = url;
  }

  /** The names that HAProxy has for the gateways that the members are on. */
  get gateways(): Set<string> {
    return new Set(this.members.map(({ gateway }) => gateway));
  }

  /** Somebody new, on a gateway that is not one of `others`. */
  async enterBeside(others: Set<string>, userId: string, options: ConnectOptions = {}): Promise<Chatter> {
    const where = { url: this.#url, roomName: this.#roomName };
    const chatter = await eventually(
      async () => {
        const tried = await Chatter.enter(this.#owner, where, userId, options);
        if (!others.has(tried.gateway)) return tried;
        tried.client.close();
        throw new Error(`it is on ${tried.gateway}`);
      },
      { timeoutMs: 30_000, everyMs: 500, message: `${userId} enters` },
    );
    this.members.push(chatter);
    return chatter;
  }

  /** Everybody says something, and everybody hears it all. */
  async chat(): Promise<void> {
    await Promise.all(this.members.map((member) => member.present()));
    for (const speaker of this.members) await this.#allKnow(await speaker.send(`This is ${speaker.client.userId}`));
  }

  /** A bot talks while something happens. Then everybody has to know all of it. Returns how often the bot had to try again. */
  async listenDuring(work: Promise<unknown>): Promise<number> {
    const roomId = this.members[0]?.roomId ?? '';
    const { last, retries } = await talkDuring(work, { url: this.#url, roomId });
    await Promise.all(this.members.map((member) => member.present()));
    await this.#allKnow(last);
    return retries;
  }

  async #allKnow(message: Message): Promise<void> {
    await Promise.all(this.members.map((member) => member.knowsAllUpTo(message)));
  }
}
