import type { Entry, Head, Hole } from './room-stream.ts';

/** Where a room stands. */
export interface Standing extends Head {
  /** Moves whenever a membership ends. */
  membersRev: number;
}

// What delivery needs of the world. The gateway gives it Redis, PostgreSQL and timers, the simulation its own.

/** Where the entries of other gateways come from. It may lose, repeat and reorder them. */
export interface Channel {
  /** Resolves when what is published from now on arrives, or when the channel is known to be away. */
  open(roomId: string): Promise<void>;
  close(roomId: string): void;
}

/** Where all that is committed can be read. */
export interface Store {
  /** Rooms that do not exist are left out. */
  heads(roomIds: readonly string[]): Promise<ReadonlyMap<string, Standing>>;
  /** Reads holes, of each at most `limit` entries from its beginning. */
  fill(holes: readonly Hole[], limit: number): Promise<ReadonlyMap<string, readonly Entry[]>>;
}

export interface Timer {
  /** @returns what cancels it */
  after(ms: number, run: () => void): () => void;
}
