import { deferred, within } from '@parley/test-support';

/** Where Engine.IO is, without the transport. */
export const SOCKETS = '/socket.io/?EIO=4';

/** An open Engine.IO transport below Socket.IO: packets as text. It answers pings, and does nothing else by itself. */
export interface Transport {
  /** What the server sent so far. */
  readonly packets: readonly string[];
  /** Resolves when the server, or `close`, ended it. */
  readonly closed: Promise<unknown>;
  send(packet: string): void;
  close(): void;
  /** The first packet that begins so, past or to come. Throws after 10 s, and when the transport is closed before. */
  packet(beginning: string): Promise<string>;
}

interface Waiter {
  beginning: string;
  resolve: (packet: string) => void;
  reject: (error: Error) => void;
}

/** Packets as they come, and those who wait for one. */
export class PacketLog {
  readonly items: string[] = [];
  readonly #waiting = new Set<Waiter>();
  #ended = false;

  push(packet: string): void {
    this.items.push(packet);
    for (const waiter of this.#waiting) {
      if (!packet.startsWith(waiter.beginning)) continue;
      this.#waiting.delete(waiter);
      waiter.resolve(packet);
    }
  }

  /** There will be no more: whoever still waits has waited in vain. */
  end(): void {
    this.#ended = true;
    for (const { reject } of this.#waiting) reject(new Error('the transport was closed'));
    this.#waiting.clear();
  }

  /** The first packet that begins so, past or to come. Throws after 10 s, and when there will be no more. */
  async find(beginning: string): Promise<string> {
    const found = this.items.find((packet) => packet.startsWith(beginning));
    if (found !== undefined) return found;
    const { promise, resolve, reject } = deferred<string>();
    if (this.#ended) reject(new Error('the transport was closed'));
    else this.#waiting.add({ beginning, resolve, reject });
    try {
      return await within(promise, `a packet ${beginning}`);
    } catch (error) {
      const last = JSON.stringify(this.items.slice(-10).map((packet) => packet.slice(0, 500)));
      throw new Error(`no ${beginning}: ${(error as Error).message}; the last ones were ${last}`, { cause: error });
    }
  }
}
