/** One hand-over's right to a room of a hearer. */
export interface Turn {
  /** The hearer left the room, or is gone, since the turn was taken: it must not hear it when the turn is over. */
  isCancelled: boolean;
  /** It must not be given the page either. */
  isEvicted: boolean;
}

interface Waiting extends Turn {
  done: Promise<void>;
}

/**
 * Hand-overs of one hearer to one room come one after another, in the order they were asked for: two answers that
 * overtake each other would leave the client at the older page.
 */
export class Turns<Hearer> {
  readonly #taken = new Map<Hearer, Map<string, Waiting[]>>();

  /** Resolves when it is this one's turn in all rooms. `end` has to be called, once. */
  async take(
    hearer: Hearer,
    roomIds: readonly string[],
  ): Promise<{ turns: ReadonlyMap<string, Turn>; end: () => void }> {
    const rooms = this.#taken.get(hearer) ?? new Map<string, Waiting[]>();
    this.#taken.set(hearer, rooms);
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const earlier: Promise<void>[] = [];
    const turns = new Map<string, Waiting>();
    for (const roomId of new Set(roomIds)) {
      const queue = rooms.get(roomId) ?? [];
      earlier.push(...queue.map((turn) => turn.done));
      const turn = { isCancelled: false, isEvicted: false, done };
      rooms.set(roomId, [...queue, turn]);
      turns.set(roomId, turn);
    }
    const end = (): void => {
      for (const [roomId, turn] of turns) {
        const left = rooms.get(roomId)?.filter((other) => other !== turn) ?? [];
        if (left.length > 0) rooms.set(roomId, left);
        else rooms.delete(roomId);
      }
      if (rooms.size === 0 && this.#taken.get(hearer) === rooms) this.#taken.delete(hearer);
      resolve();
    };
    await Promise.all(earlier);
    return { turns, end };
  }

  cancel(hearer: Hearer, roomId: string): void {
    for (const turn of this.#taken.get(hearer)?.get(roomId) ?? []) turn.isCancelled = true;
  }

  /** Cancels, and has the pages that are being read thrown away. */
  evict(hearer: Hearer, roomId: string): void {
    this.cancel(hearer, roomId);
    for (const turn of this.#taken.get(hearer)?.get(roomId) ?? []) turn.isEvicted = true;
  }

  /** The rooms that the hearer is on its way to, or waits for. */
  roomsOf(hearer: Hearer): string[] {
    return [...(this.#taken.get(hearer)?.keys() ?? [])];
  }
}
