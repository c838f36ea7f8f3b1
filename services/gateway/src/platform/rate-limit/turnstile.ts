/** Questions to Redis of one user that may be under way at once. */
const AT_ONCE = 32;

interface Queue {
  inside: number;
  readonly waiting: (() => void)[];
}

/**
 * Lets only so many questions of one user be under way: of a thousand requests that come at once the first answers teach
 * the gateway that the others are refused, so those never reach Redis. First come, first in.
 */
export class Turnstile {
  readonly #queues = new Map<string, Queue>();

  /** Resolves when it is one's turn; undefined: now. `leave` has to be called afterwards, once. */
  enter(user: string): Promise<void> | undefined {
    const queue = this.#queues.get(user);
    if (!queue) {
      this.#queues.set(user, { inside: 1, waiting: [] });
      return undefined;
    }
    if (queue.inside < AT_ONCE) {
      queue.inside += 1;
      return undefined;
    }
    return new Promise((resolve) => queue.waiting.push(resolve));
  }

  leave(user: string): void {
    const queue = this.#queues.get(user);
    if (!queue) return;
    const next = queue.waiting.shift();
    if (next) {
      next();
      return;
    }
    queue.inside -= 1;
    if (queue.inside === 0) this.#queues.delete(user);
  }
}
