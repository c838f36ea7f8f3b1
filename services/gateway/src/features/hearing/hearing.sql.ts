import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';

/** Those of the pairs where the user is no member of the room, and whether a ban is why; one query. */
export async function findOutsiders(
  db: Kysely<Database>,
  pairs: readonly { roomId: string; userId: string }[],
): Promise<{ roomId: string; userId: string; isBanned: boolean }[]> {
  if (pairs.length === 0) return [];
  const { rows } = await sql<{ room_id: string; user_id: string; is_banned: boolean }>`
    select pair.room_id, pair.user_id, exists (
        select from room_bans where room_bans.room_id = pair.room_id and room_bans.user_id = pair.user_id
      ) as is_banned
    from unnest(${pairs.map(({ roomId }) => roomId)}::uuid[], ${pairs.map(({ userId }) => userId)}::text[])
      as pair (room_id, user_id)
    where not exists (
      select from members where members.room_id = pair.room_id and members.user_id = pair.user_id
    )`.execute(db);
  return rows.map((row) => ({ roomId: row.room_id, userId: row.user_id, isBanned: row.is_banned }));
}
