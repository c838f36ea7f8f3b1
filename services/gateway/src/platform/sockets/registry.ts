import type { ChatSocket } from './types.ts';

const NONE: ReadonlySet<ChatSocket> = new Set();

/** The sockets of this gateway by user, for what concerns all devices of one. */
export class SocketRegistry {
  readonly #byUser = new Map<string, Set<ChatSocket>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(socket: ChatSocket): void {
    const userId = socket.data.identity.user.id;
    const sockets = this.#byUser.get(userId);
    if (sockets) sockets.add(socket);
    else this.#byUser.set(userId, new Set([socket]));
    this.#size += 1;
  }

  remove(socket: ChatSocket): void {
    const userId = socket.data.identity.user.id;
    const sockets = this.#byUser.get(userId);
    if (!sockets?.delete(socket)) return;
    this.#size -= 1;
    if (sockets.size === 0) this.#byUser.delete(userId);
  }

  ofUser(userId: string): ReadonlySet<ChatSocket> {
    return this.#byUser.get(userId) ?? NONE;
  }

  *all(): Iterable<ChatSocket> {
    for (const sockets of this.#byUser.values()) yield* sockets;
  }

  *byUser(): Iterable<[string, ReadonlySet<ChatSocket>]> {
    yield* this.#byUser;
  }
}
