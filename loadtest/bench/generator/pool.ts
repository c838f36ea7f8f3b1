import { Histogram } from '../../measure/histogram.ts';
import { signToken } from '../../measure/token.ts';
import { Client, type SharedRoom } from './client.ts';
import { nowMicros } from './clock.ts';
import type { Crowd, Opened } from './orders.ts';
import type { Tally } from './tally.ts';

/** The clients of one generator. */
export class Pool {
  readonly clients: readonly Client[];
  readonly #opening: number;

  constructor(crowd: Crowd, tally: Tally) {
    this.#opening = crowd.opening;
    const rooms = new Map<number, SharedRoom>();
    const clients: Client[] = [];
    for (let index = 0; index < crowd.clients; index += 1) {
      const roomNumber = index % crowd.rooms;
      if (roomNumber % crowd.generators !== crowd.place) continue;
      const room = rooms.get(roomNumber) ?? { name: `bench-${roomNumber}`, id: '', head: 0, hearers: 0 };
      rooms.set(roomNumber, room);
      const url = crowd.urls[index % crowd.urls.length] as string;
      clients.push(
        new Client({
          url: new URL(url),
          path: pathTo(roomNumber, crowd.pinTo),
          token: signToken(crowd.jwtSecret, `bench-${index}`),
          room,
          tally,
        }),
      );
    }
    this.clients = clients;
  }

  /** Connects all that are not connected: first one of each room, which makes it. */
  async open(): Promise<Opened> {
    const begin = nowMicros();
    const opened: Opened = { hearing: 0, failures: {}, handshake: [], seconds: 0 };
    const times = new Histogram();
    const closed = this.clients.filter((client) => !client.isHearing);
    const firsts = new Set(new Map(closed.map((client) => [client.room, client])).values());
    await this.#openAll([...firsts], opened, times);
    await this.#openAll(
      closed.filter((client) => !firsts.has(client)),
      opened,
      times,
    );
    opened.hearing = this.clients.filter((client) => client.isHearing).length;
    opened.handshake = times.counts();
    opened.seconds = (nowMicros() - begin) / 1e6;
    return opened;
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  async #openAll(clients: readonly Client[], opened: Opened, times: Histogram): Promise<void> {
    const queue = clients.values();
    const openNext = async (): Promise<void> => {
      for (const client of queue) {
        const begin = nowMicros();
        try {
          await client.open();
          times.add(nowMicros() - begin);
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          opened.failures[reason] = (opened.failures[reason] ?? 0) + 1;
        }
      }
    };
    await Promise.all(Array.from({ length: this.#opening }, openNext));
  }
}

function pathTo(roomNumber: number, gateways: number | undefined): string {
  const path = '/socket.io/?EIO=4&transport=websocket';
  return gateways === undefined ? path : `${path}&sid=gateway${1 + (roomNumber % gateways)}.bench`;
}
