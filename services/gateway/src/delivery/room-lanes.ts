import type { Waiting } from './message-writer.ts';

export interface RoomLanesOptions {
  maxBatch: number;
  maxLanes: number;
  patienceMs: number;
  overdue: () => Error;
  now: () => number;
}

export interface RoomLanesWork<Outcome> {
  /** Commits messages of one room. @returns those that met its lock again */
  commit: (batch: readonly Waiting<Outcome>[]) => Promise<readonly Waiting<Outcome>[]>;
  /** The room needs no lane any more; these of its messages are left. */
  giveBack: (left: readonly Waiting<Outcome>[]) => void;
}

/**
 * Rooms that are set aside, since somebody held a row of theirs: each has its messages in a lane of its own, in order.
 *
 *   set aside ──a commit that does not meet the lock──> gone; what is left goes back to the writer
 *        ^  |
 *        |__| a commit that does: to the end of the row; what has waited for too long is refused
 *
 * Lanes take turns, a few at a time: a commit that waits for a lock holds a connection, and a lane whose room is free
 * after all must not wait for long. A room whose messages were all refused stays set aside: the next one must not hold
 * up the others again.
 */
export class RoomLanes<Outcome> {
  readonly #options: RoomLanesOptions;
  readonly #work: RoomLanesWork<Outcome>;
  readonly #lanes = new Map<string, Waiting<Outcome>[]>();
  /** Rooms with something to commit, those without a commit under way, in the order of their turns. */
  readonly #turns = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(options: RoomLanesOptions, work: RoomLanesWork<Outcome>) {
    this.#options = options;
    this.#work = work;
  }

  /** Lanes with something to commit. */
  get busy(): number {
    return this.#underWay.size + this.#turns.size;
  }

  /** Messages in all lanes, those of commits under way not counted. */
  get waiting(): number {
    let count = 0;
    for (const lane of this.#lanes.values()) count += lane.length;
    return count;
  }

  /** Resolves when something has been tried; undefined when there is nothing to try. */
  get running(): Promise<void> | undefined {
    return this.#underWay.size > 0 ? Promise.race(this.#underWay.values()) : undefined;
  }

  has(roomId: string): boolean {
    return this.#lanes.has(roomId);
  }

  waitingIn(roomId: string): number {
    return this.#lanes.get(roomId)?.length ?? 0;
  }

  /** Sets the rooms of the messages aside, if they are not yet. */
  add(waiting: readonly Waiting<Outcome>[]): void {
    for (const one of waiting) {
      const { roomId } = one.message;
      const lane = this.#lanes.get(roomId);
      if (lane) lane.push(one);
      else this.#lanes.set(roomId, [one]);
      if (!this.#underWay.has(roomId)) this.#turns.add(roomId);
    }
    this.#takeTurns();
  }

  #takeTurns(): void {
    for (const roomId of this.#turns) {
      if (this.#underWay.size >= this.#options.maxLanes) return;
      this.#turns.delete(roomId);
      const done = this.#try(roomId).finally(() => {
        this.#underWay.delete(roomId);
        if (this.waitingIn(roomId) > 0) this.#turns.add(roomId);
        this.#takeTurns();
      });
      this.#underWay.set(roomId, done);
    }
  }

  async #try(roomId: string): Promise<void> {
    const lane = this.#lanes.get(roomId) ?? [];
    const locked = await this.#work.commit(lane.splice(0, this.#options.maxBatch));
    if (locked.length === 0) {
      this.#lanes.delete(roomId);
      this.#work.giveBack(lane);
      return;
    }
    lane.unshift(...locked);
    this.#refuseOverdue();
  }

  /** In all lanes: those that wait for their turn have not been asked for a while. */
  #refuseOverdue(): void {
    const { now, patienceMs, overdue } = this.#options;
    const latest = now() - patienceMs;
    for (const lane of this.#lanes.values()) {
      const young = lane.findIndex(({ since }) => since > latest);
      for (const { reject } of lane.splice(0, young < 0 ? lane.length : young)) reject(overdue());
    }
  }
}
