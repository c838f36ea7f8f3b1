import type { Database } from '@parley/database';
import { sql, type Kysely, type RawBuilder, type Transaction } from 'kysely';

/** Any number that no other lock of the database has: migrations use other ones. */
export const CLEANING_LOCK = 7_302_011_964;

/** How long things stay that somebody might still look at, ms; null: for ever. */
export interface Stay {
  emptyRoomMs: number | null;
  auditMs: number | null;
}

/** Something that is left over, and the statement that removes a number of it. */
export interface Leftover {
  what: string;
  /** Removes at most `limit` rows. What somebody else has locked at this moment is passed over. */
  remove: (limit: number) => RawBuilder<unknown>;
}

const ago = (ms: number) => sql`now() - ${ms} * interval '1 ms'`;

/** Everything that is removed by time, in the order of removal. */
export function leftovers({ emptyRoomMs, auditMs }: Stay): Leftover[] {
  return [
    ...(emptyRoomMs === null ? [] : [emptyRooms(emptyRoomMs)]),
    ...(auditMs === null ? [] : [auditEntries(auditMs), resolvedReports(auditMs)]),
    ...accountLeftovers,
    roomBans,
    mutes,
  ];
}

/**
 * The lock is the one that a deletion takes; whoever joins holds the room's row as well, so one of the two comes first:
 * a room that is being joined is passed over, and whoever joins a removed room is told that it is not there. A row whose
 * lock was free is looked at again as it is now.
 */
const emptyRooms = (stayMs: number): Leftover => ({
  what: 'empty rooms',
  remove: (limit) => sql`
    delete from rooms where id = any (array(
      select r.id from rooms r
      where r.emptied_at < ${ago(stayMs)} and r.member_count = 0 and r.head_seq = 0
        and not exists (select from members m where m.room_id = r.id)
      order by r.emptied_at limit ${limit} for update skip locked
    ))`,
});

const roomBans: Leftover = {
  what: 'room bans',
  remove: (limit) => sql`
    delete from room_bans b using (
      select room_id, user_id from room_bans where expires_at < now() order by expires_at limit ${limit}
      for update skip locked
    ) x where b.room_id = x.room_id and b.user_id = x.user_id`,
};

/** No room is locked for it: a mute that has ended has no effect any more, so nothing is to be ordered with it. */
const mutes: Leftover = {
  what: 'mutes',
  remove: (limit) => sql`
    update members m set muted_until = null from (
      select room_id, user_id from members where muted_until < now() order by muted_until limit ${limit}
      for no key update skip locked
    ) x where m.room_id = x.room_id and m.user_id = x.user_id`,
};

/**
 * Removes rows of a table by age, the oldest first.
 *
 * @param at `table`, its `key`, and the time `by` which a row is old
 * @param before which time it has to be
 */
const oldRows =
  ({ table, key, by }: { table: string; key: string; by: string }, before: RawBuilder<unknown>): Leftover['remove'] =>
  (limit) => sql`
    delete from ${sql.table(table)} where ${sql.ref(key)} = any (array(
      select ${sql.ref(key)} from ${sql.table(table)} where ${sql.ref(by)} < ${before} order by ${sql.ref(by)}
      limit ${limit} for update skip locked
    ))`;

const auditEntries = (stayMs: number): Leftover => ({
  what: 'audit entries',
  remove: oldRows({ table: 'audit_log', key: 'id', by: 'at' }, ago(stayMs)),
});

const resolvedReports = (stayMs: number): Leftover => ({
  what: 'reports',
  remove: oldRows({ table: 'message_reports', key: 'id', by: 'resolved_at' }, ago(stayMs)),
});

const accountLeftovers: Leftover[] = [
  {
    // A week longer than it is good for, so that its tokens are still told to be expired and not unknown.
    what: 'sessions',
    remove: oldRows({ table: 'sessions', key: 'id', by: 'expires_at' }, sql`now() - interval '7 days'`),
  },
  {
    // One that comes a second time gives a theft away; after so long nobody has it any more.
    what: 'refresh tokens',
    remove: oldRows({ table: 'refresh_tokens', key: 'token_hash', by: 'used_at' }, sql`now() - interval '60 days'`),
  },
  {
    what: 'login codes',
    remove: oldRows({ table: 'login_codes', key: 'account_key', by: 'expires_at' }, sql`now()`),
  },
  {
    // An hour for clocks that differ: past its `exp` a token is refused for that.
    what: 'revoked tokens',
    remove: oldRows({ table: 'revoked_tokens', key: 'token_id', by: 'expires_at' }, sql`now() - interval '1 hour'`),
  },
  {
    // Neither the window in which failures count nor a lock lasts so long.
    what: 'login failures',
    remove: (limit) => sql`
      delete from login_failures f using (
        select account_key, address from login_failures
        where first_at < now() - interval '1 hour' and (locked_until is null or locked_until < now())
        order by first_at limit ${limit} for update skip locked
      ) x where f.account_key = x.account_key and f.address = x.address`,
  },
];

/**
 * Whether this transaction is the one that cleans; until its end nobody else does. A lock of the transaction and not of
 * the connection, so that it works behind PgBouncer in transaction mode.
 */
export async function lockCleaning(trx: Transaction<Database>): Promise<boolean> {
  const { rows } = await sql<{ is_ours: boolean }>`
    select pg_try_advisory_xact_lock(${CLEANING_LOCK}::bigint) as is_ours`.execute(trx);
  return rows[0]?.is_ours === true;
}

/** @returns how many rows */
export async function removeSome(db: Kysely<Database>, { remove }: Leftover, limit: number): Promise<number> {
  const { numAffectedRows } = await remove(limit).execute(db);
  return Number(numAffectedRows ?? 0);
}
