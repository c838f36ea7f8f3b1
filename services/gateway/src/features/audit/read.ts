import type { AuditEntry } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { accessRoom } from '../rooms/access.ts';
import { cutPage, decodeCursor } from '../rooms/cursor.ts';
import { listAudit, type AuditRow } from './audit.sql.ts';

const ENTRY_ID = /^\d{1,15}$/;

/** The latest first. @throws ChatError `NOT_FOUND`, `NOT_A_MEMBER`, `FORBIDDEN` for others than owners */
export async function getAudit(
  ctx: Context,
  actor: Identity,
  { roomId, cursor, limit }: { roomId: string; cursor?: string; limit: number },
): Promise<{ entries: AuditEntry[]; nextCursor?: string }> {
  const room = await accessRoom(ctx, actor, { roomId, to: 'take part' });
  if (room.my_role !== 'owner') throw new ChatError('FORBIDDEN', { message: 'For owners of the room' });
  const [before] = cursor === undefined ? [] : decodeCursor(cursor, [ENTRY_ID]);
  const rows = await listAudit(ctx.db, roomId, {
    before: before === undefined ? undefined : Number(before),
    limit: limit + 1,
  });
  const { page, next } = cutPage(rows, limit, (row) => [String(row.id)]);
  return { entries: page.map(toEntry), ...next };
}

function toEntry(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    act: row.act,
    actor: { id: row.actor_id, name: row.actor_name ?? row.actor_id },
    ...(row.target_id !== null && { target: { id: row.target_id, name: row.target_name ?? row.target_id } }),
    details: row.details,
    at: row.at.toISOString(),
  };
}
