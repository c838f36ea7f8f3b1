import type { Report } from '@parley/protocol';
import { v7 as uuidv7 } from 'uuid';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { writeAudit } from '../audit/audit.ts';
import { messagesAt } from '../messages/history.ts';
import { accessRoom } from '../rooms/access.ts';
import { cutPage, decodeCursor } from '../rooms/cursor.ts';
import { findTarget, insertReport, listOpenReports, resolveReport } from './reports.sql.ts';

/** Open reports of one member in one room, so that nobody fills the moderators' list. */
const MOST_OPEN = 100;
const REPORT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Brings a message before the moderators and owners of its room, once a reporter and message.
 *
 * @throws ChatError `NOT_FOUND`, `NOT_A_MEMBER`, `FORBIDDEN` in a direct room, `CONFLICT` for a deleted message and for
 *   who has too many open reports in the room
 */
export async function reportMessage(
  ctx: Context,
  actor: Identity,
  { roomId, seq, reason }: { roomId: string; seq: number; reason?: string },
): Promise<Record<string, never>> {
  const room = await accessRoom(ctx, actor, { roomId, to: 'take part' });
  if (room.kind === 'direct') throw new ChatError('FORBIDDEN', { message: 'A direct room has no moderators' });
  const target = await findTarget(ctx.db, roomId, seq);
  if (!target) throw new ChatError('NOT_FOUND', { message: 'There is no message with this seq' });
  if (target.is_deleted) throw new ChatError('CONFLICT', { message: 'The message is deleted' });
  const report = { id: uuidv7(), roomId, seq, reporterId: actor.user.id, reason: reason || null };
  if (!(await insertReport(ctx.db, report, MOST_OPEN))) {
    throw new ChatError('CONFLICT', { message: 'Too many of your reports in this room are open' });
  }
  return {};
}

/**
 * The open reports of a room, the oldest first, with the messages as they are now.
 *
 * @throws ChatError `NOT_FOUND`, `NOT_A_MEMBER`, `FORBIDDEN` for plain members
 */
export async function getReports(
  ctx: Context,
  actor: Identity,
  { roomId, cursor, limit }: { roomId: string; cursor?: string; limit: number },
): Promise<{ reports: Report[]; nextCursor?: string }> {
  await requireModerator(ctx, actor, roomId);
  const [after] = cursor === undefined ? [] : decodeCursor(cursor, [REPORT_ID]);
  const rows = await listOpenReports(ctx.db, roomId, { after, limit: limit + 1 });
  const { page, next } = cutPage(rows, limit, (row) => [row.id]);
  const messages = await messagesAt(
    ctx,
    roomId,
    page.map((row) => row.seq),
  );
  const reports = page.flatMap((row): Report[] => {
    const message = messages.get(row.seq);
    if (!message) return []; // can't be: messages keep their place for ever
    return [
      {
        id: row.id,
        reporter: { id: row.reporter_id, name: row.reporter_name },
        ...(row.reason !== null && { reason: row.reason }),
        createdAt: row.created_at.toISOString(),
        message,
      },
    ];
  });
  return { reports, ...next };
}

/** Closes a report; nothing happens when it is closed. @throws ChatError as `getReports` */
export async function closeReport(
  ctx: Context,
  actor: Identity,
  { roomId, reportId }: { roomId: string; reportId: string },
): Promise<void> {
  await requireModerator(ctx, actor, roomId);
  await ctx.db.transaction().execute(async (trx) => {
    const resolved = await resolveReport(trx, { id: reportId, roomId, resolvedBy: actor.user.id });
    if (!resolved) throw new ChatError('NOT_FOUND', { message: 'There is no such report in this room' });
    const { wasOpen, seq, reporterId } = resolved;
    if (!wasOpen) return;
    const act = { act: 'report:resolve', targetId: reporterId, details: { seq } } as const;
    await writeAudit(trx, { roomId, actorId: actor.user.id, ...act });
  });
}

async function requireModerator(ctx: Context, actor: Identity, roomId: string): Promise<void> {
  const room = await accessRoom(ctx, actor, { roomId, to: 'take part' });
  if (room.kind === 'direct' || room.my_role === 'member') {
    throw new ChatError('FORBIDDEN', { message: 'For moderators and owners of the room' });
  }
}
