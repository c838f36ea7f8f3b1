/**
 * Frames that the readings of one room may cost a gateway in one window. Where everybody reads everything, each of n
 * members would be told n readings of every message; in a large room they wait their turn instead, and are overtaken by
 * later ones of the same member.
 */
export const FRAMES_PER_WINDOW = 2_000;

/**
 * Takes out what may be told in this window: those that wait longest, at least one.
 *
 * @param waiting by user how far it has read, in the order of their first waiting
 */
export function takeTurn(waiting: Map<string, number>, hearers: number): [userId: string, seq: number][] {
  const most = Math.max(1, Math.floor(FRAMES_PER_WINDOW / Math.max(1, hearers)));
  const taken = [...waiting].slice(0, most);
  for (const [userId] of taken) waiting.delete(userId);
  return taken;
}
