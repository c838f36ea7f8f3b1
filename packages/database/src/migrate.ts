import { type Kysely, sql } from 'kysely';
import { type Migration, type MigrationProvider, Migrator } from 'kysely/migration';
import { openDatabase } from './connect.ts';
import {
  isBreaking,
  type MigrationFile,
  MigrationError,
  MIGRATIONS_FOLDER,
  readMigrations,
} from './migration-files.ts';
import { takeMigrationLock } from './migration-lock.ts';
import type { Database } from './schema.ts';

export interface MigrateOptions {
  /** One line for each file that is applied. Default: silent. */
  log?: (line: string) => void;
  /** Where the files are. Default: the migrations of this package. */
  folder?: string;
}

export interface MigrationState {
  /** Recorded in the database, in their order. */
  applied: string[];
  /** Files that are not applied yet. */
  pending: string[];
  /** Recorded in the database, but not in this code: a newer release was here. */
  unknown: string[];
  /** Those of `unknown` that this code can't live with. */
  breaking: string[];
}

/** A table lock that takes longer holds up everybody behind it; then the migration fails and is tried again later. */
const DDL_LOCK_TIMEOUT = '30s';

/**
 * Brings the database up to this code's migrations, all in one transaction: after an error nothing has changed, not
 * even the migration tables are there. Any number of processes may do this at once; one works, the others wait.
 *
 * Newer migrations in the database are accepted, unless one of them is marked as breaking: then this throws
 * MigrationError, as it does when a file fails. Errors of the connection are thrown as they are.
 *
 * @param target a URL, or an open database. With the latter, its client-side time-out counts (see openDatabase).
 * @returns the files that were applied, in their order
 */
export async function migrateToLatest(
  target: string | Kysely<Database>,
  options: MigrateOptions = {},
): Promise<{ applied: string[] }> {
  const files = await readMigrations(options.folder ?? MIGRATIONS_FOLDER);
  return withDatabase(target, (db) =>
    db.transaction().execute(async (trx) => {
      await sql`select set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true),
        set_config('idle_in_transaction_session_timeout', '0', true)`.execute(trx);
      await takeMigrationLock(trx);
      await sql`select set_config('lock_timeout', ${DDL_LOCK_TIMEOUT}, true)`.execute(trx);
      return applyPending(trx, files, options.log);
    }),
  );
}

/** What is applied and what is not. Changes nothing, also on an empty database. */
export async function readMigrationState(
  target: string | Kysely<Database>,
  options: Pick<MigrateOptions, 'folder'> = {},
): Promise<MigrationState> {
  const files = await readMigrations(options.folder ?? MIGRATIONS_FOLDER);
  const recorded = await withDatabase(target, recordedNames);
  const unknown = recorded.filter((name) => files.every((file) => file.name !== name));
  return {
    applied: recorded,
    pending: files.filter((file) => !recorded.includes(file.name)).map((file) => file.file),
    unknown,
    breaking: unknown.filter(isBreaking),
  };
}

async function applyPending(
  trx: Kysely<Database>,
  files: MigrationFile[],
  log: MigrateOptions['log'],
): Promise<{ applied: string[] }> {
  const recorded = await recordedNames(trx);
  const unknown = recorded.filter((name) => files.every((file) => file.name !== name));
  const breaking = unknown.find(isBreaking);
  if (breaking !== undefined) {
    throw new MigrationError(
      breaking,
      'was applied by a newer release and is marked as breaking. This release must not use the database any more',
    );
  }
  const last = recorded.at(-1) ?? '';
  const late = files.find((file) => !recorded.includes(file.name) && file.name < last);
  if (late !== undefined) {
    throw new MigrationError(late.file, `is not applied, but ${last} is, which comes after it`);
  }

  const applied: string[] = [];
  const provider: MigrationProvider = {
    getMigrations: () => {
      const migrations: Record<string, Migration> = {};
      for (const name of unknown) migrations[name] = appliedElsewhere;
      for (const file of files) {
        migrations[file.name] = {
          up: async (db: Kysely<unknown>) => {
            log?.(`applying ${file.file}`);
            try {
              await sql.raw(file.sql).execute(db);
            } catch (error) {
              throw failureOf(file, error);
            }
            applied.push(file.file);
          },
        };
      }
      return Promise.resolve(migrations);
    },
  };
  const { error } = await new Migrator({ db: trx, provider }).migrateToLatest();
  if (error !== undefined) throw error;
  return { applied };
}

/** Kysely wants to know every migration that is recorded. It never runs one of those. */
const appliedElsewhere: Migration = { up: () => Promise.resolve() };

async function recordedNames(db: Kysely<Database>): Promise<string[]> {
  const table = await sql<{ there: boolean }>`select to_regclass('kysely_migration') is not null as there`.execute(db);
  if (table.rows[0]?.there !== true) return [];
  const names = await sql<{ name: string }>`select name from kysely_migration order by name collate "C"`.execute(db);
  return names.rows.map((row) => row.name);
}

async function withDatabase<T>(
  target: string | Kysely<Database>,
  work: (db: Kysely<Database>) => Promise<T>,
): Promise<T> {
  if (typeof target !== 'string') return work(target);
  const opened = openDatabase({
    url: target,
    poolMax: 1,
    statementTimeoutMs: 0,
    connectTimeoutMs: 10_000,
    applicationName: 'parley-migrate',
    prepared: false, // whatever stands between: each statement runs once anyway
  });
  try {
    return await work(opened.db);
  } finally {
    await opened.close();
  }
}

/** PostgreSQL counts the position of an error in characters of the whole file, from 1. */
function failureOf(file: MigrationFile, error: unknown): MigrationError {
  const why = error instanceof Error ? error.message : String(error);
  const position = error instanceof Error && 'position' in error ? Number(error.position) : Number.NaN;
  const line = Number.isNaN(position)
    ? ''
    : `line ${Array.from(file.sql).slice(0, position).join('').split('\n').length}: `;
  return new MigrationError(file.file, line + why, { cause: error });
}
