import type { Database } from '@parley/database';
import type { Kysely, Transaction } from 'kysely';

export async function insertAudit(
  trx: Transaction<Database>,
  entry: {
    roomId: string | null;
    actorId: string;
    act: string;
    targetId: string | null;
    details: Record<string, unknown>;
  },
): Promise<void> {
  await trx
    .insertInto('audit_log')
    .values({
      room_id: entry.roomId,
      actor_id: entry.actorId,
      act: entry.act,
      target_id: entry.targetId,
      details: entry.details,
    })
    .execute();
}

export interface AuditRow {
  id: number;
  act: string;
  actor_id: string;
  actor_name: string | null;
  target_id: string | null;
  target_name: string | null;
  details: Record<string, unknown>;
  at: Date;
}

/** The latest first, before the given one. */
export function listAudit(
  db: Kysely<Database>,
  roomId: string,
  { before, limit }: { before: number | undefined; limit: number },
): Promise<AuditRow[]> {
  return db
    .selectFrom('audit_log')
    .leftJoin('users as actor', 'actor.id', 'audit_log.actor_id')
    .leftJoin('users as target', 'target.id', 'audit_log.target_id')
    .where('audit_log.room_id', '=', roomId)
    .$if(before !== undefined, (qb) => qb.where('audit_log.id', '<', before as number))
    .orderBy('audit_log.id', 'desc')
    .limit(limit)
    .select([
      'audit_log.id',
      'audit_log.act',
      'audit_log.actor_id',
      'actor.name as actor_name',
      'audit_log.target_id',
      'target.name as target_name',
      'audit_log.details',
      'audit_log.at',
    ])
    .execute();
}
