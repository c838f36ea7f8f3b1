import type { Context } from '../../context.ts';
import { peerTopic } from '../../platform/peers/peers.ts';
import { findWordRules } from './content.sql.ts';
import type { WordRule } from './word-rule.ts';
import { createWordFilter } from './words.ts';

/** So old the rule of a room can be at a gateway that did not hear of a change, ms. */
const REFRESH_MS = 5_000;

const RULE_CHANGED = peerTopic<{ roomId: string }>('content:rule-changed');

/** The rule of one room. */
export interface RoomRule {
  /** Undefined when the room has none, and until it is known. */
  readonly words: WordRule | undefined;
  /** Resolves when it is known; undefined when it is. Rejects when PostgreSQL is away. */
  readonly ready: Promise<void> | undefined;
}

interface Kept extends RoomRule {
  words: WordRule | undefined;
  ready: Promise<void> | undefined;
  isUsed: boolean;
}

/** The rules of the rooms that are written to at this gateway. */
export interface RoomRules {
  /** Known at once for a room that was asked for lately, else after a look into PostgreSQL. */
  of(roomId: string): RoomRule;
  /**
   * To be called after the commit of a change. Resolves when all gateways go by it; one that does not answer does within
   * 5 s.
   */
  changed(roomId: string): Promise<void>;
  stop(): void;
}

/**
 * A rule is wanted before the commit of a message, and with every message: so it is kept in memory. It is right because
 * whoever changes it tells all gateways before the change is answered. What a gateway does not hear, it finds out by
 * reading all that it keeps anew every 5 s; what nobody used since the last time is forgotten then, which bounds what is
 * kept. A room that is written to all the time never waits for PostgreSQL.
 */
export function openRoomRules({ db, log, peers }: Pick<Context, 'db' | 'log' | 'peers'>): RoomRules {
  const kept = new Map<string, Kept>();
  let next: { roomIds: string[]; rules: Promise<ReadonlyMap<string, WordRule>> } | undefined;

  async function read(roomIds: readonly string[]): Promise<ReadonlyMap<string, WordRule>> {
    const rows = await findWordRules(db, roomIds);
    return new Map(rows.map(({ room_id, mode, words }) => [room_id, { mode, filter: createWordFilter(words) }]));
  }

  /** All rooms that are asked for in this turn of the event loop are one query. */
  function readTogether(roomId: string): Promise<ReadonlyMap<string, WordRule>> {
    if (!next) {
      const roomIds: string[] = [];
      const turnEnds = new Promise<void>((resolve) => void setImmediate(resolve));
      const rules = turnEnds.then(() => {
        next = undefined;
        return read(roomIds);
      });
      next = { roomIds, rules };
    }
    next.roomIds.push(roomId);
    return next.rules;
  }

  function keep(roomId: string): Kept {
    const one: Kept = { words: undefined, ready: undefined, isUsed: true };
    kept.set(roomId, one);
    one.ready = readTogether(roomId).then(
      (rules) => {
        one.words = rules.get(roomId);
        one.ready = undefined;
      },
      (error: unknown) => {
        forget(roomId, one);
        throw error;
      },
    );
    one.ready.catch(() => {}); // whoever waits is told; perhaps nobody does any more
    return one;
  }

  function forget(roomId: string, one: Kept): void {
    if (kept.get(roomId) === one) kept.delete(roomId);
  }

  async function refresh(): Promise<void> {
    const used: [string, Kept][] = [];
    for (const [roomId, one] of kept) {
      if (one.ready) continue;
      if (one.isUsed) used.push([roomId, one]);
      else kept.delete(roomId);
      one.isUsed = false;
    }
    if (used.length === 0) return;
    const rules = await read(used.map(([roomId]) => roomId));
    // One that was told to have changed meanwhile is another one by now, or none, and is left alone.
    for (const [roomId, one] of used) one.words = rules.get(roomId);
  }

  // Also what is being read: it may be what was there before the change.
  peers.on(RULE_CHANGED, ({ roomId }) => void kept.delete(roomId));
  const timer = setInterval(() => {
    refresh().catch((error: unknown) => log.warn({ err: error }, "rooms' rules could not be read anew"));
  }, REFRESH_MS);

  return {
    of(roomId) {
      const one = kept.get(roomId) ?? keep(roomId);
      one.isUsed = true;
      return one;
    },
    async changed(roomId) {
      await peers.askAll(RULE_CHANGED, { roomId });
    },
    stop: () => clearInterval(timer),
  };
}
