import { Kysely } from 'kysely';
import { Pool, type Client, type ClientBase } from 'pg';
import { TransactionLockDialect } from './migration-lock.ts';
import type { Database } from './schema.ts';
import { createStatementNamer, namedStatementPool } from './statements.ts';
import { columnTypes } from './types.ts';

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`, TLS by `?sslmode=`. */
  url: string;
  /** Connections at most. They are opened when needed and closed after 30 s without work. */
  poolMax: number;
  /** The server cancels a statement that runs longer (SQLSTATE 57014). 0: never. */
  statementTimeoutMs: number;
  /** For a free connection, and for opening one. 0: for ever. */
  connectTimeoutMs: number;
  /** Seen in pg_stat_activity. */
  applicationName: string;
  /** A wait for a lock ends after this (SQLSTATE 55P03). 0: never. Default: half of `statementTimeoutMs`. */
  lockTimeoutMs?: number;
  /** A transaction without a statement for so long ends, and its connection. 0: never. Default: `statementTimeoutMs`. */
  idleInTransactionTimeoutMs?: number;
  /** Prepare statements under names, once a connection. Default true; false for poolers that lose them. */
  prepared?: boolean;
  /** A connection broke by itself. Nothing has to be done: the pool opens another one. Default: ignored. */
  onError?: (error: Error) => void;
}

export interface OpenDatabase {
  readonly db: Kysely<Database>;
  /** For what Kysely can't do. Its queries are not named, its errors are the same. */
  readonly pool: Pool;
  /** Waits for queries that run, then closes all connections. Calling it again is no error. */
  close: () => Promise<void>;
}

/** How much longer than the server's own time-out an answer may take before its connection is given up. */
const ANSWER_SLACK_MS = 2_000;
const IDLE_MS = 30_000;
const LIFETIME_SECONDS = 3_600;
const KEEPALIVE_DELAY_MS = 10_000;

/**
 * A pool and Kysely on top of it. Connects when first used, so it never fails by itself.
 *
 * The time-outs are set by one SELECT on each new connection and not in the start-up packet: PgBouncer refuses a
 * packet that asks for them. PgBouncer in transaction mode gives the session to others, though, so behind it they may
 * or may not be there: set them for the role as well (`alter role parley set statement_timeout = '10s'`). What holds
 * everywhere is the client's own clock: without an answer for `statementTimeoutMs` and two seconds (a frozen server, a
 * network that swallows packets) the query fails with an error that is `isUnavailable`, and its connection is closed.
 */
export function openDatabase(options: DatabaseOptions): OpenDatabase {
  const { statementTimeoutMs } = options;
  const settings = {
    statement_timeout: statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs ?? Math.ceil(statementTimeoutMs / 2),
    idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? statementTimeoutMs,
  };
  const pool = new Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.poolMax,
    connectionTimeoutMillis: options.connectTimeoutMs,
    idleTimeoutMillis: IDLE_MS,
    maxLifetimeSeconds: LIFETIME_SECONDS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_DELAY_MS,
    query_timeout: statementTimeoutMs === 0 ? 0 : statementTimeoutMs + ANSWER_SLACK_MS,
    types: columnTypes,
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it, its types say void
    onConnect: (client) => applySettings(client, settings),
  });
  let closing: Promise<void> | undefined;

  // The pool listens to a client only while it is idle. One that breaks between two statements of a transaction would
  // emit `error` to nobody, which ends the process.
  pool.on('connect', (client) => {
    client.on('error', (error) => {
      if (closing === undefined) options.onError?.(error);
    });
  });
  // The same errors, of idle clients: reported above.
  pool.on('error', () => {});

  const nameOf = options.prepared === false ? () => undefined : createStatementNamer();
  const db = new Kysely<Database>({
    dialect: new TransactionLockDialect({ pool: namedStatementPool(pool, nameOf, abandon) }),
  });

  return {
    db,
    pool,
    close: () => (closing ??= db.destroy().then(() => pool.end())),
  };
}

/** With a query under way, `end` destroys the socket at once; the pool then drops the client when it is released. */
function abandon(client: ClientBase): void {
  (client as Client).end().catch(() => {});
}

async function applySettings(client: ClientBase, settings: Record<string, number>): Promise<void> {
  const names = Object.keys(settings);
  const calls = names.map((name, index) => `set_config('${name}', $${index + 1}, false)`);
  await client.query(`select ${calls.join(', ')}`, Object.values(settings).map(String));
}
