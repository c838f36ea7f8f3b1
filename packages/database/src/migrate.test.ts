import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test, type TestContext } from 'node:test';
import { sql } from 'kysely';
import { createDatabase, createEmptyDatabase, expectNoLeaks, startProcess, within } from '@parley/test-support';
import { openDatabase, type OpenDatabase } from './connect.ts';
import { migrateToLatest, readMigrationState } from './migrate.ts';
import { MigrationError, MIGRATIONS_FOLDER } from './migration-files.ts';
import { openOn } from './testing/world.ts';

expectNoLeaks({ after });

const OWN = (await readdir(MIGRATIONS_FOLDER)).toSorted();
const CLI = join(import.meta.dirname, 'cli.ts');

async function openEmpty(t: TestContext): Promise<OpenDatabase & { url: string }> {
  const database = await createEmptyDatabase();
  return { ...openOn(t, database), url: database.url };
}

/** The migrations of this package and some more. */
async function folderWith(t: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-migrations-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(MIGRATIONS_FOLDER, folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function tableNames({ db }: OpenDatabase): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`.execute(db);
  return rows.map((row) => row.name);
}

describe('migrateToLatest', () => {
  test('fills an empty database, and has nothing to do the second time', async (t) => {
    const opened = await openEmpty(t);
    const lines: string[] = [];
    const { applied } = await migrateToLatest(opened.url, { log: (line) => void lines.push(line) });
    assert.deepEqual(applied, OWN);
    assert.deepEqual(
      lines,
      OWN.map((file) => `applying ${file}`),
    );
    assert.ok((await tableNames(opened)).includes('messages'));
    assert.deepEqual(await migrateToLatest(opened.url), { applied: [] });
  });

  test('works on an open database as well', async (t) => {
    const opened = await openEmpty(t);
    assert.deepEqual(await migrateToLatest(opened.db), { applied: OWN });
    assert.ok((await tableNames(opened)).includes('messages'));
  });

  test('five at once: one does it', async (t) => {
    const opened = await openEmpty(t);
    const results = await Promise.all([1, 2, 3, 4, 5].map(() => migrateToLatest(opened.url)));
    assert.deepEqual(results.map((result) => result.applied.length).toSorted(), [0, 0, 0, 0, OWN.length]);
  });

  test('five processes at once: one does it, all succeed', async (t) => {
    const { url } = await openEmpty(t);
    const runs = await Promise.all(
      [1, 2, 3, 4, 5].map(async () => {
        const run = await startProcess(process.execPath, [CLI, 'migrate'], { owner: t, env: { DATABASE_URL: url } });
        return { ...(await run.exited), output: run.output };
      }),
    );
    assert.deepEqual(
      runs.map((run) => run.code),
      [0, 0, 0, 0, 0],
      JSON.stringify(runs),
    );
    assert.equal(runs.filter((run) => run.output.includes('nothing to do')).length, 4);
  });

  test('accepts what a newer release applied, unless it is marked as breaking', async (t) => {
    const { url } = await openEmpty(t);
    const harmless = { '000090_more.sql': 'create table more (id int);' };
    await migrateToLatest(url, { folder: await folderWith(t, harmless) });
    assert.deepEqual(await migrateToLatest(url), { applied: [] });

    const breaking = { ...harmless, '000091_less.sql': '--! breaking\ndrop table user_blocks;' };
    await migrateToLatest(url, { folder: await folderWith(t, breaking) });
    await assert.rejects(migrateToLatest(url), (error) => {
      assert.ok(error instanceof MigrationError);
      assert.equal(error.file, '000091_less:breaking');
      assert.match(error.message, /newer release .* breaking/);
      return true;
    });
    assert.deepEqual(await migrateToLatest(url, { folder: await folderWith(t, breaking) }), { applied: [] });
    assert.deepEqual((await readMigrationState(url)).breaking, ['000091_less:breaking']);
  });

  test('a breaking mark further down in a file is only a comment', async (t) => {
    const { url } = await openEmpty(t);
    const files = { '000090_more.sql': 'create table more (id int);\n--! breaking\n' };
    await migrateToLatest(url, { folder: await folderWith(t, files) });
    assert.deepEqual(await migrateToLatest(url), { applied: [] });
  });

  test('a failing file leaves nothing, says where, and holds no lock', async (t) => {
    const opened = await openEmpty(t);
    const folder = await folderWith(t, {
      '000090_good.sql': 'create table good (id int);',
      '000091_bad.sql': `-- Zoë's first line ${'🙂'.repeat(50)}\ncreate table half (id int);\n\ninsert into absent values (1);\n`,
    });
    await assert.rejects(migrateToLatest(opened.url, { folder }), (error) => {
      assert.ok(error instanceof MigrationError);
      assert.equal(error.file, '000091_bad.sql');
      assert.equal(error.message, '000091_bad.sql: line 4: relation "absent" does not exist');
      return true;
    });
    assert.deepEqual(await tableNames(opened), []);
    await assert.rejects(migrateToLatest(opened.db, { folder }), MigrationError);
    assert.deepEqual(await tableNames(opened), []);
    assert.deepEqual(await within(migrateToLatest(opened.url), 'the lock'), { applied: OWN });
  });

  test('what was there stays when a later file fails', async (t) => {
    const { url } = await openEmpty(t);
    await migrateToLatest(url);
    const before = await readMigrationState(url);
    const folder = await folderWith(t, { '000091_bad.sql': 'drop table messages; select 1/0;' });
    await assert.rejects(migrateToLatest(url, { folder }), /000091_bad\.sql: division by zero/);
    assert.deepEqual(await readMigrationState(url), before);
  });

  test('a file that slipped in before an applied one is refused', async (t) => {
    const { url } = await openEmpty(t);
    await migrateToLatest(url, { folder: await folderWith(t, { '000091_late.sql': 'select 1' }) });
    const folder = await folderWith(t, { '000090_early.sql': 'select 1', '000091_late.sql': 'select 1' });
    await assert.rejects(migrateToLatest(url, { folder }), (error) => {
      assert.ok(error instanceof MigrationError);
      assert.equal(error.file, '000090_early.sql');
      return true;
    });
  });

  test('names no statements: a pooler may give it a session where they exist already', async (t) => {
    const { url } = await openEmpty(t);
    const check = `do $$ begin assert not exists (select from pg_prepared_statements), 'a named statement'; end $$`;
    await migrateToLatest(url, { folder: await folderWith(t, { '000090_check.sql': check }) });
  });

  test('file names are checked', async (t) => {
    const { url } = await openEmpty(t);
    for (const file of ['3_short.sql', '000003-dash.sql', '000003_x.ts', '000001_again.sql']) {
      const folder = await folderWith(t, { [file]: 'select 1' });
      await assert.rejects(migrateToLatest(url, { folder }), MigrationError, file);
    }
  });

  test('no time-out of statements holds, whoever set it', async (t) => {
    const { url, db } = await openEmpty(t);
    const name = new URL(url).pathname.slice(1);
    await sql.raw(`alter database ${name} set statement_timeout = '500ms'`).execute(db);
    const folder = await folderWith(t, { '000090_slow.sql': 'select pg_sleep(0.8)' });
    assert.equal((await migrateToLatest(url, { folder })).applied.length, OWN.length + 1);

    const impatient = openDatabase({
      url,
      poolMax: 1,
      statementTimeoutMs: 500,
      connectTimeoutMs: 5_000,
      applicationName: 'impatient',
    });
    t.after(() => impatient.close());
    const next = await folderWith(t, { '000090_slow.sql': '', '000091_slow.sql': 'select pg_sleep(0.8)' });
    assert.deepEqual(await migrateToLatest(impatient.db, { folder: next }), { applied: ['000091_slow.sql'] });
    // Lifted for that transaction alone.
    await assert.rejects(sql`select pg_sleep(60)`.execute(impatient.db));
  });
});

describe('the command line', () => {
  async function cli(t: TestContext, args: string[], url?: string): Promise<{ code: number | null; output: string }> {
    const run = await startProcess(process.execPath, [CLI, ...args], { owner: t, env: { DATABASE_URL: url } });
    const { code } = await run.exited;
    return { code, output: run.output };
  }

  test('status and migrate', async (t) => {
    const { url } = await openEmpty(t);
    const before = await cli(t, ['status'], url);
    assert.deepEqual(before, { code: 3, output: OWN.map((file) => `pending  ${file}\n`).join('') });
    const run = await cli(t, ['migrate'], url);
    assert.equal(run.code, 0);
    assert.equal(run.output, [...OWN.map((file) => `applying ${file}`), `applied ${OWN.length}`, ''].join('\n'));
    const behind = await cli(t, ['status'], url);
    const names = OWN.map((file) => file.replace('.sql', ''));
    assert.deepEqual(behind, { code: 0, output: names.map((name) => `applied  ${name}\n`).join('') });
  });

  test('a database that is too new', async (t) => {
    const { url, drop } = await createDatabase();
    t.after(drop);
    await migrateToLatest(url, { folder: await folderWith(t, { '000091_less.sql': '--! breaking\nselect 1' }) });
    assert.equal((await cli(t, ['status'], url)).code, 3);
    const run = await cli(t, ['migrate'], url);
    assert.equal(run.code, 1);
    assert.match(run.output, /^000091_less:breaking: was applied by a newer release/);
  });

  test('wrong usage and a server that is not there', async (t) => {
    assert.equal((await cli(t, ['migrate'])).code, 2);
    assert.equal((await cli(t, ['migrate', 'now'], 'postgres://127.0.0.1:1/x')).code, 2);
    assert.equal((await cli(t, ['undo'], 'postgres://127.0.0.1:1/x')).code, 2);
    const run = await cli(t, ['migrate'], 'postgres://postgres@127.0.0.1:1/x');
    assert.equal(run.code, 1);
    assert.match(run.output, /ECONNREFUSED/);
  });
});
