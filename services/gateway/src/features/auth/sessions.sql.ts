import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';

/** Opens a login with its first refresh token. */
export async function insertSession(
  db: Kysely<Database>,
  session: { id: string; userId: string; expiresAt: Date; refreshTokenHash: Buffer },
): Promise<void> {
  await db
    .with('session', (cte) =>
      cte
        .insertInto('sessions')
        .values({ id: session.id, user_id: session.userId, expires_at: session.expiresAt })
        .returning('id'),
    )
    .insertInto('refresh_tokens')
    .columns(['token_hash', 'session_id'])
    .expression((eb) =>
      eb.selectFrom('session').select([sql<Buffer>`${session.refreshTokenHash}::bytea`.as('token_hash'), 'session.id']),
    )
    .execute();
}
