import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';

export async function touchLastSeen(db: Kysely<Database>, userId: string): Promise<void> {
  await db
    .updateTable('users')
    .set({ last_seen_at: sql`now()` })
    .where('id', '=', userId)
    .execute();
}
