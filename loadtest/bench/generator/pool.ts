import { signToken } from '../../measure/token.ts';
import { Client } from './client.ts';
import { nowMicros } from './clock.ts';
import { Opening } from './opening.ts';
import type { Crowd, Opened, Pace } from './orders.ts';
import type { SharedRoom } from './stream.ts';
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
      const room = rooms.get(roomNumber) ?? { name: `${crowd.name}-${roomNumber}`, id: '', head: 0, hearers: 0 };
      rooms.set(roomNumber, room);
      const url = crowd.urls[index % crowd.urls.length] as string;
      clients.push(
        new Client({
          number: index,
          url: new URL(url),
          path: pathTo(roomNumber, crowd.pinTo),
          token: signToken(crowd.jwtSecret, `${crowd.name}-${index}`),
          room,
          tally,
        }),
      );
    }
    this.clients = clients;
  }

  /** Connects all that are not connected. Without a pace, one of each room comes first, which makes it. */
  async open(pace?: Pace): Promise<Opened> {
    const begin = pace?.beginAt ?? nowMicros();
    const opening = new Opening();
    const closed = this.clients.filter((client) => !client.isHearing);
    if (pace === undefined) {
      const firsts = new Set(new Map(closed.map((client) => [client.room, client])).values());
      await opening.atOnce([...firsts], this.#opening);
      await opening.atOnce(
        closed.filter((client) => !firsts.has(client)),
        this.#opening,
      );
    } else {
      await opening.steadily(closed, pace);
    }
    return { hearing: this.clients.filter((client) => client.isHearing).length, ...opening.result(begin) };
  }

  close(): void {
    for (const client of this.clients) client.close();
  }
}

function pathTo(roomNumber: number, gateways: number | undefined): string {
  const path = '/socket.io/?EIO=4&transport=websocket';
  return gateways === undefined ? path : `${path}&sid=gateway${1 + (roomNumber % gateways)}.bench`;
}
