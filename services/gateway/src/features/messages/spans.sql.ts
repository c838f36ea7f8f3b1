import type { Database } from '@parley/database';
import { sql, type Kysely, type RawBuilder } from 'kysely';

/** A part of a room: above `after`, up to and with `upTo`. */
export interface RoomSpan {
  roomId: string;
  after: number;
  upTo: number;
}

/**
 * Reads a part of each of many rooms with one query.
 *
 * @param page selects the rows of one span, which it knows as `span.room_id`, `span.after` and `span.up_to`
 */
export async function readSpans<Row>(
  db: Kysely<Database>,
  spans: readonly RoomSpan[],
  page: RawBuilder<unknown>,
): Promise<Row[]> {
  if (spans.length === 0) return [];
  const { rows } = await sql<Row>`
    select page.* from unnest(
      ${spans.map((span) => span.roomId)}::uuid[],
      ${spans.map((span) => span.after)}::bigint[],
      ${spans.map((span) => span.upTo)}::bigint[]
    ) as span (room_id, after, up_to)
    cross join lateral (${page}) page`.execute(db);
  return rows;
}
