import type { ChatSocket } from './types.ts';

/** Of sockets that have something to wait for: resolves, whatever came of it, when the latest of it is over. */
const last = new WeakMap<ChatSocket, Promise<void>>();

/**
 * For what has to be asked before something is done, when one socket's requests must be done in the order they came
 * but may be asked about at the same time. Resolves when the answer is there and everything is done that was asked for
 * earlier; rejects when the answer does. What runs right after `await inTurn(...)`, up to the next `await`, is in order.
 *
 *   await inTurn(socket, allowed(a)); enter(a)
 *   await inTurn(socket, allowed(b)); enter(b)      // after enter(a), even if b's answer was there first
 *
 * @param answer undefined: it is there already
 */
export function inTurn(socket: ChatSocket, answer: Promise<void> | undefined): Promise<void> | undefined {
  const earlier = last.get(socket);
  if (!earlier) {
    if (answer) keep(socket, answer);
    return answer;
  }
  answer?.catch(() => {}); // it is looked at later, which must not be too late for Node
  const turn = earlier.then(() => answer);
  keep(socket, turn);
  return turn;
}

function keep(socket: ChatSocket, turn: Promise<void>): void {
  const over = (): void => {
    if (last.get(socket) === settled) last.delete(socket);
  };
  const settled: Promise<void> = turn.then(over, over);
  last.set(socket, settled);
}
