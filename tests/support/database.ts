import { openDatabase, type OpenDatabase } from '@parley/database';
import type { Owner } from '@parley/test-support';

/** A look into a test's database, for what the contract has no words for. */
export function lookInto(owner: Owner, url: string): OpenDatabase {
  const database = openDatabase({
    url,
    poolMax: 1,
    statementTimeoutMs: 10_000,
    connectTimeoutMs: 10_000,
    applicationName: 'test',
  });
  owner.after(() => database.close());
  return database;
}
