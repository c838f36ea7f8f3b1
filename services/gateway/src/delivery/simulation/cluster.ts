import type { Entry, Head, Told } from '../room-stream.ts';
import {
  MessageWriter,
  Refused,
  RoomLocked,
  SimulatedChannel,
  SimulatedClock,
  SimulatedStore,
  StoreAway,
  Streams,
  type Dice,
} from './world.ts';

/** What a client has seen of a room since its last answer of a join. */
interface Heard {
  page: Head;
  seqs: number[];
  revs: number[];
}

/** A client with one connection. Keeps what it was told, and complains about what must not be. */
export class SimulatedClient {
  readonly name: string;
  gateway: SimulatedGateway;
  readonly heard = new Map<string, Heard>();
  readonly complaints: string[] = [];
  /** How often it was evicted from a room. */
  readonly evictions = new Map<string, number>();
  /** Sends without an answer yet. */
  sending = 0;
  readonly #own = new Map<string, number>();
  /** By connection and room: the numbers of what was sent, in the order of the sends. */
  readonly #sent = new Map<string, Map<number, number>>();

  constructor(name: string, gateway: SimulatedGateway) {
    this.name = name;
    this.gateway = gateway;
  }

  answered(roomId: string, page: Head): void {
    const own = (log: Entry['log'], from: number): number[] =>
      [...this.#own]
        .filter(([key, number]) => key.startsWith(`${roomId} ${log} `) && number > from)
        .map(([, number]) => number);
    this.heard.set(roomId, { page, seqs: own('message', page.seq), revs: own('change', page.rev) });
  }

  left(roomId: string): void {
    this.heard.delete(roomId);
  }

  evicted(roomId: string): void {
    this.evictions.set(roomId, (this.evictions.get(roomId) ?? 0) + 1);
    this.left(roomId);
  }

  /** An acknowledgement: the entry of one's own that the stream leaves out. */
  acknowledged(roomId: string, entry: Entry): void {
    if (entry.log === 'message') this.#expectSenderOrder(roomId, entry);
    this.#own.set(`${roomId} ${entry.log} ${entry.number}`, entry.number);
    this.#note(roomId, entry);
  }

  /** What one connection sends to one room is numbered in the order it was sent. */
  #expectSenderOrder(roomId: string, { id, number }: Entry): void {
    const sent = Number(id.slice(1));
    const key = `${this.gateway.name} ${roomId}`;
    const numbers = this.#sent.get(key) ?? new Map<number, number>();
    this.#sent.set(key, numbers.set(sent, number));
    for (const [other, itsNumber] of numbers) {
      if (other < sent !== itsNumber < number && other !== sent) {
        this.complaints.push(`sent in another order: ${roomId} ${id} is ${number}, m${other} is ${itsNumber}`);
      }
    }
  }

  told(roomId: string, entry: Entry): void {
    const key = `${roomId} ${entry.log} ${entry.number}`;
    if (!this.heard.has(roomId)) this.complaints.push(`heard ${key} without hearing the room`);
    else if (this.#own.has(key)) this.complaints.push(`own entry repeated: ${key}`);
    else this.#expectOrder(roomId, entry);
    this.#note(roomId, entry);
  }

  /** Numbers must rise; what is left out must be one's own, which an acknowledgement brings. */
  #expectOrder(roomId: string, entry: Entry): void {
    const heard = this.heard.get(roomId) as Heard;
    const told = (entry.log === 'message' ? heard.seqs : heard.revs).filter(
      (number) => !this.#own.has(`${roomId} ${entry.log} ${number}`),
    );
    const last = told.at(-1) ?? (entry.log === 'message' ? heard.page.seq : heard.page.rev);
    if (entry.number <= last) this.complaints.push(`repeated or reordered: ${roomId} ${entry.log} ${entry.number}`);
    if (entry.log === 'change') {
      const isKnown = entry.seq <= heard.page.seq || heard.seqs.includes(entry.seq);
      // A change of one's own message can be told before the acknowledgement that says where that message stands.
      if (!isKnown && this.sending === 0) this.complaints.push(`changed before it was told: ${roomId} ${entry.seq}`);
    }
  }

  #note(roomId: string, entry: Entry): void {
    const heard = this.heard.get(roomId);
    if (!heard) return;
    if (entry.log === 'message') heard.seqs.push(entry.number);
    else heard.revs.push(entry.number);
  }

  /** After everything has calmed down: all that came after the page was heard, each once. */
  missing(roomId: string, head: Head): string[] {
    const heard = this.heard.get(roomId);
    if (!heard) return [];
    const complaints: string[] = [];
    for (const [log, numbers, from, to] of [
      ['message', heard.seqs, heard.page.seq, head.seq],
      ['change', heard.revs, heard.page.rev, head.rev],
    ] as const) {
      for (let number = from + 1; number <= to; number += 1) {
        if (!numbers.includes(number)) complaints.push(`${this.name} never heard ${roomId} ${log} ${number}`);
      }
    }
    return complaints;
  }
}

/** The real streams, writer and hand-over on top of a simulated store, channel and clock. */
export class SimulatedGateway {
  readonly name: string;
  readonly streams: Streams<SimulatedClient>;
  readonly writer: MessageWriter<Entry & { roomId: string; isNew: boolean }>;
  readonly #store: SimulatedStore;
  readonly #channel: SimulatedChannel;
  isDead = false;

  constructor(name: string, world: { clock: SimulatedClock; store: SimulatedStore; channel: SimulatedChannel }) {
    this.name = name;
    this.#store = world.store;
    this.#channel = world.channel;
    this.streams = new Streams<SimulatedClient>({
      channel: world.channel.of(name, (roomId, entries) => this.streams.receive(roomId, entries)),
      store: world.store,
      timer: world.clock,
      tell: (hearers, roomId, entries) => this.#tell(hearers, roomId, entries),
      cut: (hearers, roomId) => {
        for (const hearer of hearers) hearer.left(roomId); // it would sync; here it just stops counting
      },
      evictOutsiders: async (roomIds) => {
        const hearers = roomIds.flatMap((roomId) =>
          this.streams.everybodyIn(roomId).map((hearer) => ({ roomId, hearer })),
        );
        const outsiders = await world.store.findOutsiders(hearers.map(({ roomId, hearer }) => [roomId, hearer.name]));
        for (const { roomId, hearer } of hearers) {
          if (outsiders.some(([id, name]) => id === roomId && name === hearer.name)) this.evict(hearer, roomId);
        }
      },
      onError: (error) => {
        if (!(error instanceof StoreAway)) throw error;
      },
    });
    this.writer = new MessageWriter({
      append: async (batch) => {
        const outcomes = await world.store.append(batch);
        if (!this.isDead) this.#publish(outcomes.filter(({ isNew }) => isNew));
        return outcomes;
      },
      isTransient: () => false,
      isLocked: (error) => error instanceof RoomLocked,
      isUnavailable: (error) => error instanceof StoreAway,
      overflow: () => new StoreAway('full'),
      overdue: () => new StoreAway('held for too long'),
      patienceMs: 2_000,
      now: () => world.clock.now,
      defer: (run) => world.clock.after(0, run),
    });
  }

  /** As the gateway hands over: what was read for who was evicted meanwhile is thrown away, and all is read again. */
  async join(client: SimulatedClient, roomId: string): Promise<void> {
    try {
      while (await this.#handOver(client, roomId));
    } catch (error) {
      if (!(error instanceof StoreAway || error instanceof Refused)) throw error;
    }
  }

  /** @returns whether it has to be done again */
  async #handOver(client: SimulatedClient, roomId: string): Promise<boolean> {
    const handOver = await this.streams.begin(client, [roomId]);
    const evictions = client.evictions.get(roomId);
    try {
      const page = await this.#store.readPage(roomId, client.name);
      if (this.isDead) return false;
      if (handOver.isEvicted) {
        handOver.complete(new Map());
        return true;
      }
      if (client.evictions.get(roomId) !== evictions) client.complaints.push(`a page of ${roomId} after an eviction`);
      client.answered(roomId, page);
      handOver.complete(new Map([[roomId, page]]));
      if (!this.streams.hears(client, roomId)) client.left(roomId); // it left while it joined
      return false;
    } catch (error) {
      handOver.complete(new Map());
      throw error;
    }
  }

  evict(client: SimulatedClient, roomId: string): void {
    if (this.isDead) return;
    this.streams.evict(client, roomId);
    client.evicted(roomId);
  }

  leave(client: SimulatedClient, roomId: string): void {
    this.streams.remove(client, roomId);
    client.left(roomId);
  }

  async send(client: SimulatedClient, roomId: string, id: string): Promise<void> {
    this.streams.expectOwn(id, client);
    client.sending += 1;
    try {
      const entry = await this.writer.append({
        id,
        roomId,
        senderId: client.name,
        clientMsgId: id,
        content: '',
        replyTo: null,
      });
      if (this.isDead) return;
      client.acknowledged(roomId, entry);
      this.streams.settleOwn(id, { roomId, entry });
    } catch (error) {
      if (!(error instanceof StoreAway)) throw error;
      this.streams.failOwn(id, roomId, client);
    } finally {
      client.sending -= 1;
    }
  }

  change(client: SimulatedClient, roomId: string, seq: number, id: string): void {
    this.streams.expectOwn(id, client);
    const entry = this.#store.change(roomId, seq, id);
    if (!entry) {
      this.streams.settleOwn(id);
      return;
    }
    client.acknowledged(roomId, entry);
    this.#publish([{ ...entry, roomId }]);
    this.streams.settleOwn(id, { roomId, entry });
  }

  /** kill -9: nothing is flushed, nobody is told. */
  die(): void {
    this.isDead = true;
    this.streams.stop();
    this.#channel.forget(this.name);
  }

  #publish(entries: readonly (Entry & { roomId: string })[]): void {
    for (const [roomId, ofRoom] of Map.groupBy(entries, (entry) => entry.roomId)) {
      this.streams.receive(roomId, ofRoom);
      this.#channel.publish(this.name, roomId, ofRoom);
    }
  }

  #tell(hearers: Iterable<SimulatedClient>, roomId: string, entries: readonly Told<SimulatedClient>[]): void {
    if (this.isDead) return;
    for (const hearer of hearers) {
      for (const entry of entries) if (entry.except !== hearer) hearer.told(roomId, entry);
    }
  }
}

export function createWorld(dice: Dice, roomIds: readonly string[]) {
  const clock = new SimulatedClock();
  return { clock, store: new SimulatedStore(clock, dice, roomIds), channel: new SimulatedChannel(clock, dice) };
}
