import { hmacKey, inSeconds, token } from '../../support/tokens.ts';
import { Board } from './board.ts';
import { ChaosClient } from './client.ts';
import type { Random } from './random.ts';
import { forgetIds } from './recorder.ts';
import { waitUntil } from './wait.ts';

export interface CrowdOptions {
  /** Of HAProxy, or of a gateway. Several: clients are spread over them. */
  urls: readonly string[];
  /** A bad line to the same place, for some of them. */
  badLineUrl?: string;
  jwtSecret: string;
  clients: number;
  rooms: number;
  /** Sends a second, of all together. */
  rate: number;
  random: Random;
}

/** Every n-th client differs from the others. Second devices do not speak, so they must not fill whole rooms. */
const EVERY = { polling: 15, echo: 6, badLine: 8, severalRooms: 4, secondDevice: 11 };
const TICK_MS = 50;
const CONNECTING_AT_ONCE = 25;
const EMOJIS = ['+1', '-1', 'ok', 'no', 'hm'];

/** All clients of a run, and what they say. */
export class Crowd {
  readonly board: Board;
  readonly clients: readonly ChaosClient[];
  /** Those behind the bad line. */
  readonly onBadLine: readonly ChaosClient[];
  readonly roomIds: readonly string[];
  readonly #speakers: readonly ChaosClient[];
  readonly #random: Random;
  readonly #rate: number;
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    { rate, random }: CrowdOptions,
    parts: {
      board: Board;
      roomIds: string[];
      clients: ChaosClient[];
      onBadLine: ChaosClient[];
      speakers: ChaosClient[];
    },
  ) {
    this.#rate = rate;
    this.#random = random;
    this.board = parts.board;
    this.roomIds = parts.roomIds;
    this.clients = parts.clients;
    this.onBadLine = parts.onBadLine;
    this.#speakers = parts.speakers;
  }

  /** Makes the rooms, connects everybody, and waits until all hear their rooms. */
  static async gather(options: CrowdOptions): Promise<Crowd> {
    const { urls, badLineUrl, jwtSecret, random } = options;
    const roomIds = await createRooms(options);
    const [clients, onBadLine, speakers]: [ChaosClient[], ChaosClient[], ChaosClient[]] = [[], [], []];
    const board = new Board();
    for (let index = 0; index < options.clients; index += 1) {
      const isSecond = index % EVERY.secondDevice === EVERY.secondDevice - 1;
      const hasBadLine = badLineUrl !== undefined && index % EVERY.badLine === 1;
      const userId = `chaos-${isSecond ? index - 1 : index}`;
      const first = roomIds[index % roomIds.length] as string;
      const rooms = index % EVERY.severalRooms === 0 ? [first, random.pick(roomIds), random.pick(roomIds)] : [first];
      const client = new ChaosClient({
        name: `c${index}`,
        userId,
        url: hasBadLine ? badLineUrl : (urls[index % urls.length] as string),
        token: await token(userId, { exp: inSeconds(86_400) }, hmacKey(jwtSecret)),
        transport: index % EVERY.polling === 2 ? 'polling' : 'websocket',
        echo: index % EVERY.echo === 3,
        rooms: [...new Set(rooms)],
        board,
      });
      clients.push(client);
      if (hasBadLine) onBadLine.push(client);
      if (!isSecond) speakers.push(client);
    }
    const crowd = new Crowd(options, { board, roomIds, clients, onBadLine, speakers });
    for (let next = 0; next < clients.length; next += CONNECTING_AT_ONCE) {
      const group = clients.slice(next, next + CONNECTING_AT_ONCE);
      for (const client of group) client.connect();
      await waitUntil(() => group.every((client) => client.hasReached(new Map())), 60_000);
    }
    return crowd;
  }

  /** Begins to speak: `rate` sends a second, one in twenty followed by an edit or a reaction. */
  speak(): void {
    let due = 0;
    let last = Date.now();
    this.#timer = setInterval(() => {
      const now = Date.now();
      due = Math.min(due + ((now - last) / 1_000) * this.#rate, this.#rate);
      last = now;
      while (due >= 1) due -= this.#speakOnce();
    }, TICK_MS);
  }

  beSilent(): void {
    clearInterval(this.#timer);
  }

  /** @returns how many messages were sent */
  #speakOnce(): number {
    const random = this.#random;
    const client = random.pick(this.#speakers);
    const roomId = random.pick(client.rooms);
    const count = random.below(5) === 0 ? 2 + random.below(3) : 1;
    client.outbox.send(roomId, count, random.below(50) === 0);
    if (random.below(20) === 0) this.#change(client, roomId);
    return count;
  }

  #change(client: ChaosClient, roomId: string): void {
    const latest = client.latest.get(roomId);
    if (!latest) return;
    const isOwn = latest.sender.id === client.recorder.userId;
    client.outbox.change(
      isOwn
        ? { event: 'message:edit', roomId, seq: latest.seq, rest: { content: `${Date.now()} ${this.#random.next()}` } }
        : { event: 'message:react', roomId, seq: latest.seq, rest: { emoji: this.#random.pick(EMOJIS), on: true } },
    );
    client.latest.delete(roomId); // one change a message, so that none is without effect
  }

  /** Begins new records. Resolves when every client has a page of every room: before, it may be told without one. */
  async restartRecords(): Promise<void> {
    forgetIds();
    for (const client of this.clients) client.restartRecord();
    await waitUntil(() => this.clients.every((client) => client.isHearing), 60_000);
  }

  /** What should not have happened, with how often. */
  oddities(): Record<string, number> {
    const sum: Record<string, number> = {};
    for (const { oddities } of this.clients) {
      for (const [what, times] of oddities) sum[what] = (sum[what] ?? 0) + times;
      oddities.clear();
    }
    return sum;
  }

  leave(): void {
    this.beSilent();
    for (const client of this.clients) client.close();
  }
}

async function createRooms({ urls, jwtSecret, rooms }: CrowdOptions): Promise<string[]> {
  const bearer = await token('chaos-founder', {}, hmacKey(jwtSecret));
  const ids: string[] = [];
  for (let index = 0; index < rooms; index += 1) {
    const answer = await fetch(`${urls[0]}/api/rooms`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: `chaos ${Date.now()} ${index}` }),
    });
    if (answer.status !== 201) throw new Error(`A room was not made: ${answer.status} ${await answer.text()}`);
    ids.push(((await answer.json()) as { room: { id: string } }).room.id);
  }
  return ids;
}
