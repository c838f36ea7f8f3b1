import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { createDatabase, type Owner, type TestDatabase } from '@parley/test-support';
import { openDatabase, type DatabaseOptions, type OpenDatabase } from '../connect.ts';
import type { AppendedRow } from '../append.ts';
import type { Database } from '../schema.ts';

/** One send. What is left out gets a value of its own. */
export interface Send {
  room: string;
  sender: string;
  key?: string;
  id?: string;
  content?: string;
  replyTo?: number;
}

/** A migrated database of its own and a pool on it, both gone after the owner's end. */
export async function openOwnDatabase(
  owner: Owner,
  options: Partial<DatabaseOptions> = {},
): Promise<OpenDatabase & { url: string }> {
  const database = await createDatabase();
  return { ...openOn(owner, database, options), url: database.url };
}

/** A pool on a database that others made for the owner; drops it at the owner's end. */
export function openOn(owner: Owner, database: TestDatabase, options: Partial<DatabaseOptions> = {}): OpenDatabase {
  const opened = openDatabase({
    url: database.url,
    poolMax: 4,
    statementTimeoutMs: 20_000,
    connectTimeoutMs: 10_000,
    applicationName: 'database-test',
    ...options,
  });
  owner.after(async () => {
    await opened.close();
    await database.drop();
  });
  return opened;
}

/** New users; everybody is a member of every new room. */
export async function createRooms(
  db: Kysely<Database>,
  size: { rooms: number; users: number },
): Promise<{ rooms: string[]; users: string[] }> {
  const mark = randomUUID().slice(0, 8);
  const users = Array.from({ length: size.users }, (_, index) => `${mark}-user-${index}`);
  const rooms = Array.from({ length: size.rooms }, () => randomUUID());
  await db
    .insertInto('users')
    .values(users.map((id) => ({ id, name: `Name of ${id}` })))
    .execute();
  const createdBy = users[0] ?? '';
  await db
    .insertInto('rooms')
    .values(
      rooms.map((id) => ({ id, kind: 'public' as const, name: `Room ${id}`, name_key: id, created_by: createdBy })),
    )
    .execute();
  await db
    .insertInto('members')
    .values(rooms.flatMap((room_id) => users.map((user_id) => ({ room_id, user_id }))))
    .execute();
  return { rooms, users };
}

/** One call of append_messages. The answers come in the order of the sends. */
export async function append(
  db: Kysely<Database>,
  sends: Send[],
  { lockTimeoutMs }: { lockTimeoutMs?: number } = {},
): Promise<AppendedRow[]> {
  const { rows } = await sql<AppendedRow>`select * from append_messages(
    ${sends.map((send) => send.room)}::uuid[],
    ${sends.map((send) => send.sender)}::text[],
    ${sends.map((send) => send.key ?? randomUUID())}::text[],
    ${sends.map((send) => send.id ?? randomUUID())}::uuid[],
    ${sends.map((send) => send.content ?? 'hello')}::text[],
    ${sends.map((send) => send.replyTo ?? null)}::bigint[],
    ${lockTimeoutMs ?? null}::integer
  )`.execute(db);
  return rows.toSorted((a, b) => a.idx - b.idx);
}

/** One send alone. */
export async function appendOne(db: Kysely<Database>, send: Send): Promise<AppendedRow> {
  const [answer] = await append(db, [send]);
  if (answer === undefined) throw new Error('append_messages gave no answer');
  return answer;
}

/** How many sessions of this database wait for a lock at this moment. */
export async function countWaiting(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ waiting: number }>`select count(*) as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
  return rows[0]?.waiting ?? 0;
}
