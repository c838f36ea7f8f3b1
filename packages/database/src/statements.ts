import { createHash } from 'node:crypto';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type pg from 'pg';

/**
 * How many SQL texts get a name. Names are never taken back, since every connection keeps what it prepared, so this
 * bounds the memory of a backend (a plan takes some 10 to 100 KB). Texts beyond it are parsed each time: write lists
 * as `= any($1)`, since `in ($1, $2, ...)` is another text for each length.
 */
const MAX_NAMED = 400;

/**
 * Names SQL texts for the extended protocol: the same text has the same name on all connections and in all processes.
 * Beyond `max` different texts (default 400) the answer is undefined: run it unnamed.
 */
export function createStatementNamer(max = MAX_NAMED): (text: string) => string | undefined {
  const names = new Map<string, string>();
  return (text) => {
    const known = names.get(text);
    if (known !== undefined) return known;
    if (names.size >= max) return undefined;
    const name = `p_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`;
    names.set(text, name);
    return name;
  };
}

/**
 * The pool as Kysely's driver wants it, so that every statement with parameters goes to PostgreSQL under a name: pg
 * sends the text once a connection, and PostgreSQL parses (and, after five runs, usually plans) it once a connection.
 *
 * Statements without parameters (begin, commit, the files of migrations) keep the simple protocol: it is one message,
 * and the only one that takes several statements at once.
 *
 * `end` does nothing: whoever opened the pool closes it, also when Kysely never used it.
 */
export function namedStatementPool(
  pool: pg.Pool,
  nameOf: (text: string) => string | undefined,
  onUnanswered: (client: pg.PoolClient) => void,
): PostgresPool {
  // Kysely recognises a connection by the identity of its client.
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    connect: async () => {
      const client = await pool.connect();
      let named = clients.get(client);
      if (named === undefined) {
        named = namedClient(client, nameOf, onUnanswered);
        clients.set(client, named);
      }
      return named;
    },
    end: () => Promise.resolve(),
  };
}

function namedClient(
  client: pg.PoolClient,
  nameOf: (text: string) => string | undefined,
  onUnanswered: (client: pg.PoolClient) => void,
): PostgresPoolClient {
  async function query<R>(text: string, parameters: ReadonlyArray<unknown>): Promise<PostgresQueryResult<R>> {
    const values = parameters as unknown[];
    const name = values.length > 0 ? nameOf(text) : undefined;
    try {
      const result: unknown = await client.query(name === undefined ? { text, values } : { name, text, values });
      return result as PostgresQueryResult<R>;
    } catch (error) {
      if (error instanceof Error && error.message === 'Query read timeout') onUnanswered(client);
      throw error;
    }
  }
  return {
    query: query as PostgresPoolClient['query'],
    release: (destroy) => {
      client.release(destroy);
    },
  };
}
