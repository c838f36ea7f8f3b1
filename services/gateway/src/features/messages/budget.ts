import type { MessageRow } from './messages.sql.ts';

/** Rows that one query may bring; a catch-up of more takes several, one after another. */
const ROWS_PER_QUERY = 2_000;
/** Content that one answer may carry, UTF-16 units. What is over it is left to history, room by room. */
const ANSWER_BUDGET = 4_000_000;

/** A part of a room that is to be read. */
export interface Wanted {
  roomId: string;
  /** The most rows that it can bring. */
  rows: number;
}

/**
 * Reads parts of many rooms without ever holding more than one answer may carry: two hundred rooms of two hundred long
 * messages each would be a gigabyte.
 *
 * @returns rows by room, and the rooms that were left out
 */
export async function readWithinBudget<Span extends Wanted, Row extends MessageRow>(
  spans: readonly Span[],
  read: (group: Span[]) => Promise<Row[]>,
): Promise<{ rows: Map<string, Row[]>; leftOut: ReadonlySet<string> }> {
  const rows = new Map<string, Row[]>();
  const leftOut = new Set<string>();
  let spent = 0;
  for (const group of groupsOf(spans)) {
    if (spent >= ANSWER_BUDGET) {
      for (const { roomId } of group) leftOut.add(roomId);
      continue;
    }
    const brought = await read(group);
    for (const [roomId, ofRoom] of Map.groupBy(brought, (row) => row.room_id)) rows.set(roomId, ofRoom);
    for (const row of brought) spent += row.content.length;
  }
  return { rows, leftOut };
}

function groupsOf<Span extends Wanted>(spans: readonly Span[]): Span[][] {
  const groups: Span[][] = [];
  let room = 0;
  for (const span of spans) {
    room -= span.rows;
    if (room < 0 || groups.length === 0) {
      groups.push([]);
      room = ROWS_PER_QUERY - span.rows;
    }
    groups.at(-1)?.push(span);
  }
  return groups;
}
