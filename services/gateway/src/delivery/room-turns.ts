export interface RoomTurnsOptions {
  /** How long one may wait for its turn, ms. */
  patienceMs: number;
  /** Thrown for who has waited longer. */
  overdue: () => Error;
  /** A clock that only goes forward, ms. Default `performance.now`. */
  now?: () => number;
}

/**
 * Work that takes the lock of a room's row: in each room one after another, in the order it was asked for. It would wait
 * for each other in PostgreSQL anyway; here it does so without a connection. A room that somebody holds keeps one
 * connection waiting, not all of them, and so holds up no other room.
 */
export class RoomTurns {
  readonly #options: Required<RoomTurnsOptions>;
  /** The end of what was asked for last; of rooms where something is under way. */
  readonly #last = new Map<string, Promise<void>>();

  constructor(options: RoomTurnsOptions) {
    this.#options = { now: () => performance.now(), ...options };
  }

  /** Rooms where something is under way. */
  get size(): number {
    return this.#last.size;
  }

  /** @throws what the work throws, or `overdue` when its turn came too late: then nothing was done */
  take<T>(roomId: string, work: () => Promise<T>): Promise<T> {
    const { now, patienceMs, overdue } = this.#options;
    const since = now();
    const turn = (this.#last.get(roomId) ?? Promise.resolve()).then(() => {
      if (now() - since > patienceMs) throw overdue();
      return work();
    });
    const over = (): void => {
      if (this.#last.get(roomId) === end) this.#last.delete(roomId);
    };
    const end: Promise<void> = turn.then(over, over);
    this.#last.set(roomId, end);
    return turn;
  }
}
