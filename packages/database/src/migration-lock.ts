import { type Kysely, PostgresAdapter, PostgresDialect, sql } from 'kysely';

/** Any constant: what Kysely's own adapter uses, so that its tools and ours exclude each other. */
const LOCK_ID = sql.lit('3853314791062309107');

/**
 * Kysely's dialect, with a migration lock that belongs to the transaction and not to the session. It ends with the
 * transaction however that ends, so a failed migration leaves no locked connection in a pool, and it also excludes
 * through a pooler that changes the session between two transactions. To be taken inside a transaction only.
 */
export class TransactionLockDialect extends PostgresDialect {
  override createAdapter(): PostgresAdapter {
    return new TransactionLockAdapter();
  }
}

class TransactionLockAdapter extends PostgresAdapter {
  override async acquireMigrationLock<T>(db: Kysely<T>): Promise<void> {
    await takeMigrationLock(db);
  }

  override releaseMigrationLock(): Promise<void> {
    return Promise.resolve();
  }
}

/** Waits until no other transaction holds the lock; may be taken again by the transaction that holds it. */
export async function takeMigrationLock<T>(db: Kysely<T>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK_ID}::bigint)`.execute(db);
}
