import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';

/**
 * The users of whom something has ended after the given moment: a session, a token, all of them, or a ban. Each part is
 * a range of an index.
 *
 * @param since by the database's clock; undefined gives nobody, and the moment to begin with
 */
export async function findEnded(
  db: Kysely<Database>,
  since: Date | undefined,
): Promise<{ now: Date; userIds: string[] }> {
  const at = sql`${since ?? null}::timestamptz`;
  const { rows } = await sql<{ now: Date; user_ids: string[] }>`
    select now() as now, array(
      select user_id from sessions where ended_at > ${at}
      union select user_id from revoked_tokens where revoked_at > ${at}
      union select id from users where tokens_valid_after > ${at}
      union select id from users where banned_at > ${at}
    ) as user_ids`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('a select without from gave no row');
  return { now: row.now, userIds: row.user_ids };
}
