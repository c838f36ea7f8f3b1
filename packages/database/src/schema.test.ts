import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import { openOwnDatabase } from './testing/world.ts';

interface Column {
  type: string;
  nullable: boolean;
  /** Whether an insert may leave it out. */
  optional: boolean;
}
type Tables = Record<string, Record<string, Column>>;

const TYPES: Record<string, string> = {
  ARRAY: 'string[]',
  bigint: 'number',
  integer: 'number',
  boolean: 'boolean',
  bytea: 'Buffer',
  jsonb: 'Record<string, unknown>',
  text: 'string',
  'timestamp with time zone': 'Date',
  uuid: 'string',
};
const TEXT_UNIONS = ['ChosenStatus', 'UserRole', 'RoomKind', 'MemberRole', 'ChangeKind', 'WordFilterMode'];

test('the types say what the migrations made', async (t) => {
  const { db } = await openOwnDatabase(t);
  assert.deepEqual(await declaredTables(), await realTables(db));
});

async function realTables(db: Parameters<ReturnType<typeof sql>['execute']>[0]): Promise<Tables> {
  const { rows } = await sql<{ table: string; column: string; type: string; nullable: boolean; optional: boolean }>`
    select table_name as table, column_name as column, data_type as type, is_nullable = 'YES' as nullable,
      is_nullable = 'YES' or column_default is not null or is_identity = 'YES' as optional
    from information_schema.columns where table_schema = 'public' and table_name not like 'kysely%'
  `.execute(db);
  const tables: Tables = {};
  for (const { table, column, type, nullable, optional } of rows) {
    (tables[table] ??= {})[column] = { type: TYPES[type] ?? type, nullable, optional };
  }
  return tables;
}

/** Read from the text of schema.ts, as types are gone when it runs. */
async function declaredTables(): Promise<Tables> {
  const text = (await readFile(join(import.meta.dirname, 'schema.ts'), 'utf8')).replaceAll(/\/\*\*.*?\*\//gs, '');
  const interfaces = new Map(
    [...text.matchAll(/interface (\w+) \{\n(.*?)\n\}/gs)].map((found) => [found[1] as string, found[2] as string]),
  );
  const tables: Tables = {};
  for (const [table, type] of fields(interfaces.get('Database') ?? '')) {
    tables[table] = Object.fromEntries(
      fields(interfaces.get(type) ?? '').map(([column, declared]) => [column, readType(declared)]),
    );
  }
  return tables;
}

function fields(body: string): [string, string][] {
  return [...body.matchAll(/^ {2}(\w+): (.+);$/gm)].map((found) => [found[1] as string, found[2] as string]);
}

function readType(declared: string): Column {
  const [, wrapper = '', inside = declared] = /^(?!Record)(\w+)<(.+)>$/.exec(declared) ?? [];
  const selected = inside.split(/, (?![^<]*>)/)[0] ?? '';
  const type = selected.replace(' | null', '');
  const nullable = selected.endsWith(' | null');
  const generated = ['Generated', 'GeneratedAlways', 'FixedGenerated'].includes(wrapper);
  return { type: TEXT_UNIONS.includes(type) ? 'string' : type, nullable, optional: nullable || generated };
}
