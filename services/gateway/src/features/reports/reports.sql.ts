import type { Database } from '@parley/database';
import { sql, type Kysely, type Transaction } from 'kysely';

/** Whether there is such a message, and whether it still says something. */
export async function findTarget(
  db: Kysely<Database>,
  roomId: string,
  seq: number,
): Promise<{ is_deleted: boolean } | undefined> {
  return db
    .selectFrom('messages')
    .where('room_id', '=', roomId)
    .where('seq', '=', seq)
    .select((eb) => eb('deleted_at', 'is not', null).as('is_deleted'))
    .executeTakeFirst() as Promise<{ is_deleted: boolean } | undefined>;
}

export interface NewReport {
  id: string;
  roomId: string;
  seq: number;
  reporterId: string;
  reason: string | null;
}

/**
 * Nothing happens when the reporter has reported the message before, resolved or not.
 *
 * @returns false when the reporter has `mostOpen` open reports in the room already
 */
export async function insertReport(db: Kysely<Database>, report: NewReport, mostOpen: number): Promise<boolean> {
  const { rows } = await sql<{ is_full: boolean }>`
    with open as (
      select count(*) >= ${mostOpen} as is_full from message_reports
      where room_id = ${report.roomId}::uuid and reporter_id = ${report.reporterId} and resolved_at is null
    ),
    inserted as (
      insert into message_reports (id, room_id, seq, reporter_id, reason)
      select ${report.id}::uuid, ${report.roomId}::uuid, ${report.seq}::bigint, ${report.reporterId}, ${report.reason}::text
      from open where not is_full
      on conflict (room_id, seq, reporter_id) do nothing
    )
    select is_full from open`.execute(db);
  return rows[0]?.is_full !== true;
}

export interface ReportRow {
  id: string;
  seq: number;
  reporter_id: string;
  reporter_name: string;
  reason: string | null;
  created_at: Date;
}

/** The open ones by id, after the given one. */
export function listOpenReports(
  db: Kysely<Database>,
  roomId: string,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<ReportRow[]> {
  return db
    .selectFrom('message_reports')
    .innerJoin('users', 'users.id', 'message_reports.reporter_id')
    .where('message_reports.room_id', '=', roomId)
    .where('message_reports.resolved_at', 'is', null)
    .$if(after !== undefined, (qb) => qb.where('message_reports.id', '>', after as string))
    .orderBy('message_reports.id')
    .limit(limit)
    .select([
      'message_reports.id',
      'message_reports.seq',
      'message_reports.reporter_id',
      'users.name as reporter_name',
      'message_reports.reason',
      'message_reports.created_at',
    ])
    .execute();
}

/** @returns undefined without such a report; whether it was open until now */
export async function resolveReport(
  trx: Transaction<Database>,
  report: { id: string; roomId: string; resolvedBy: string },
): Promise<{ wasOpen: boolean; seq: number; reporterId: string } | undefined> {
  const row = await trx
    .selectFrom('message_reports')
    .where('id', '=', report.id)
    .where('room_id', '=', report.roomId)
    .select(['seq', 'reporter_id', 'resolved_at'])
    .forUpdate()
    .executeTakeFirst();
  if (!row) return undefined;
  if (row.resolved_at === null) {
    await trx
      .updateTable('message_reports')
      .set({ resolved_at: sql`now()`, resolved_by: report.resolvedBy })
      .where('id', '=', report.id)
      .execute();
  }
  return { wasOpen: row.resolved_at === null, seq: row.seq, reporterId: row.reporter_id };
}
