import type { UserRef } from '@parley/protocol';
import { Agenda } from '../../platform/agenda.ts';

/** How exactly typing ends by itself, ms. */
const RESOLUTION_MS = 100;
/** Of a room at one moment so many are shown: nobody reads more names, and each change is told to all of the room. */
const MAX_SHOWN = 50;

/** What hearers are told. */
export interface BoardChange {
  roomId: string;
  user: UserRef;
  isTyping: boolean;
}

interface Typist {
  roomId: string;
  user: UserRef;
  /** Whether hearers were told. */
  isShown: boolean;
  /** By gateway, until when one of the user's devices there counts as typing, ms since the epoch. */
  untilMs: Map<string, number>;
}

/**
 * Who types in the rooms that are heard at this gateway, as far as it has been told.
 *
 *   absent ──started──> typing ──stopped by all gateways, sent, or time-out──> absent
 *
 * A user with several devices, at several gateways, is one typist. Each gateway keeps its own board with its own
 * time-outs, so what a gateway that was killed has said ends like everything else.
 */
export class Board {
  readonly #tell: (change: BoardChange) => void;
  readonly #rooms = new Map<string, Map<string, Typist>>();
  /** The appointment of a typist is the end of the gateway that ends last. */
  readonly #agenda = new Agenda<Typist>((typist) => this.#remove(typist), { resolutionMs: RESOLUTION_MS });

  constructor(tell: (change: BoardChange) => void) {
    this.#tell = tell;
  }

  /** Typists, shown or not. */
  get size(): number {
    return this.#agenda.size;
  }

  typingIn(roomId: string): UserRef[] {
    const typists = this.#rooms.get(roomId)?.values() ?? [];
    return [...typists].filter(({ isShown }) => isShown).map(({ user }) => user);
  }

  /** @param untilMs when it ends unless it is said again, ms since the epoch */
  started(roomId: string, user: UserRef, gatewayId: string, untilMs: number): void {
    const typists = this.#rooms.get(roomId) ?? new Map<string, Typist>();
    this.#rooms.set(roomId, typists);
    const typist = typists.get(user.id) ?? { roomId, user, isShown: false, untilMs: new Map<string, number>() };
    typists.set(user.id, typist);
    typist.untilMs.set(gatewayId, Math.max(untilMs, typist.untilMs.get(gatewayId) ?? 0));
    this.#agenda.set(typist, Math.max(...typist.untilMs.values()));
    if (typist.isShown || this.#shownIn(typists) >= MAX_SHOWN) return;
    typist.isShown = true;
    this.#tell({ roomId, user: typist.user, isTyping: true });
  }

  /** No device of the user at this gateway types any more. */
  stopped(roomId: string, userId: string, gatewayId: string): void {
    const typist = this.#rooms.get(roomId)?.get(userId);
    if (!typist?.untilMs.delete(gatewayId)) return;
    if (typist.untilMs.size === 0) this.#remove(typist);
    else this.#agenda.set(typist, Math.max(...typist.untilMs.values()));
  }

  /** No device of the user types any more. */
  cleared(roomId: string, userId: string): void {
    const typist = this.#rooms.get(roomId)?.get(userId);
    if (typist) this.#remove(typist);
  }

  /** Nobody here hears the room any more, so nobody is told. */
  forget(roomId: string): void {
    for (const typist of this.#rooms.get(roomId)?.values() ?? []) this.#agenda.delete(typist);
    this.#rooms.delete(roomId);
  }

  stop(): void {
    this.#agenda.stop();
    this.#rooms.clear();
  }

  #shownIn(typists: ReadonlyMap<string, Typist>): number {
    let count = 0;
    for (const { isShown } of typists.values()) if (isShown) count += 1;
    return count;
  }

  #remove(typist: Typist): void {
    const { roomId, user, isShown } = typist;
    this.#agenda.delete(typist);
    const typists = this.#rooms.get(roomId);
    typists?.delete(user.id);
    if (typists?.size === 0) this.#rooms.delete(roomId);
    if (isShown) this.#tell({ roomId, user, isTyping: false });
  }
}
