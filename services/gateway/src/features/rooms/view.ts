import type { Room } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { toUser } from '../users/view.ts';
import type { RoomRow } from './rooms.sql.ts';

/** Rooms as the protocol says them to a viewer, with who is online at this moment. */
export async function toRooms(ctx: Context, viewerId: string, rows: readonly RoomRow[]): Promise<Room[]> {
  const [counts, online, muted] = await Promise.all([
    ctx.presence.countOnline(rows.map((row) => row.id)),
    ctx.presence.onlineAmong(rows.flatMap((row) => row.peer_id ?? [])),
    ctx.limits.mutedUntil(
      viewerId,
      rows.flatMap((row) => (row.my_role === null ? [] : row.id)),
    ),
  ]);
  return rows.map((row, index) => {
    const mutedUntil = Math.max(row.my_muted_until?.getTime() ?? 0, muted.get(row.id) ?? 0);
    return toRoom(row, { onlineCount: counts[index] ?? 0, online, mutedUntil });
  });
}

function toRoom(
  row: RoomRow,
  { onlineCount, online, mutedUntil }: { onlineCount: number; online: ReadonlySet<string>; mutedUntil: number },
): Room {
  const lastReadSeq = row.my_last_read_seq ?? 0;
  return {
    id: row.id,
    name: row.kind === 'direct' ? (row.peer_name ?? row.name) : row.name,
    kind: row.kind,
    ...(row.topic !== null && { topic: row.topic }),
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    headSeq: row.head_seq,
    headRev: row.head_rev,
    memberCount: row.member_count,
    onlineCount,
    ...(row.slow_mode_ms > 0 && { slowModeMs: row.slow_mode_ms }),
    ...(row.my_role !== null && {
      me: {
        role: row.my_role,
        lastReadSeq,
        unread: Math.max(0, row.head_seq - lastReadSeq),
        ...(mutedUntil > Date.now() && { mutedUntil: new Date(mutedUntil).toISOString() }),
      },
    }),
    ...(row.peer_id !== null && {
      peer: toUser(
        {
          id: row.peer_id,
          name: row.peer_name ?? row.peer_id,
          avatar_url: row.peer_avatar_url,
          status_text: row.peer_status_text,
          chosen_status: row.peer_chosen_status ?? 'online',
          last_seen_at: row.peer_last_seen_at,
        },
        online.has(row.peer_id),
      ),
    }),
  };
}
