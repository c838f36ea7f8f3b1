import { parseArgs } from 'node:util';
import { migrateToLatest, readMigrationState } from './migrate.ts';

const USAGE = `usage: node packages/database/src/cli.ts migrate|status

  migrate   applies what is pending
  status    says what is applied, pending, or of a newer release

DATABASE_URL names the database.
exit codes: 0 done, or up to date; 1 failed; 2 wrong usage; 3 (status) migrations are pending, or the database is too new
`;

process.exitCode = await run();

async function run(): Promise<number> {
  const url = process.env['DATABASE_URL'];
  const command = readCommand();
  if (command === undefined || url === undefined || url === '') {
    process.stderr.write(url === undefined || url === '' ? `DATABASE_URL is not set\n\n${USAGE}` : USAGE);
    return 2;
  }
  try {
    return await (command === 'migrate' ? migrate(url) : showStatus(url));
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    return 1;
  }
}

function readCommand(): 'migrate' | 'status' | undefined {
  try {
    const { positionals } = parseArgs({ allowPositionals: true });
    const [command] = positionals;
    return positionals.length === 1 && (command === 'migrate' || command === 'status') ? command : undefined;
  } catch {
    return undefined;
  }
}

async function migrate(url: string): Promise<number> {
  const { applied } = await migrateToLatest(url, { log: print });
  print(applied.length === 0 ? 'nothing to do' : `applied ${applied.length}`);
  return 0;
}

async function showStatus(url: string): Promise<number> {
  const { applied, pending, unknown, breaking } = await readMigrationState(url);
  for (const name of applied) print(`${unknown.includes(name) ? 'newer  ' : 'applied'}  ${name}`);
  for (const file of pending) print(`pending  ${file}`);
  if (breaking.length > 0) print('a newer release made a breaking change: this release must not use the database');
  return pending.length > 0 || breaking.length > 0 ? 3 : 0;
}

/** Several addresses of a host that all refuse make an AggregateError, whose own message is empty. */
function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  return error instanceof Error ? error.message : String(error);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
