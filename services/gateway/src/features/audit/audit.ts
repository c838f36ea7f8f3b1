import type { Database } from '@parley/database';
import type { Transaction } from 'kysely';
import { insertAudit } from './audit.sql.ts';

/** What is written down, by the name of the event where there is one. `message:delete` is written by a trigger. */
export type AuditedAct =
  | 'room:change'
  | 'member:add'
  | 'member:remove'
  | 'member:leave'
  | 'member:role'
  | 'member:mute'
  | 'member:ban'
  | 'member:unban'
  | 'report:resolve'
  | 'user:ban'
  | 'user:unban';

export interface Audited {
  /** Absent for an operator's act. */
  roomId?: string;
  actorId: string;
  act: AuditedAct;
  /** Whom it was done to. */
  targetId?: string;
  /** Facts of the act, in the words of its event. */
  details?: Record<string, unknown>;
}

/** Writes down what is done in a room or by an operator, in the transaction that does it. */
export function writeAudit(
  trx: Transaction<Database>,
  { roomId, actorId, act, targetId, details = {} }: Audited,
): Promise<void> {
  return insertAudit(trx, { roomId: roomId ?? null, actorId, act, targetId: targetId ?? null, details });
}
