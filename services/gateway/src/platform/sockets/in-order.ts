import type { ChatSocket } from './types.ts';

const last = new WeakMap<ChatSocket, Promise<unknown>>();

/**
 * Does what one socket asks for in the order it was asked: each after the one before, whether that failed or not. For
 * requests whose outcome depends on their order, such as setting something and taking it back.
 */
export function inOrder<T>(socket: ChatSocket, work: () => Promise<T>): Promise<T> {
  const turn = (last.get(socket) ?? Promise.resolve()).then(work, work);
  last.set(socket, turn);
  return turn;
}
