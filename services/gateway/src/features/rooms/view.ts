import type { Room } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { onlineAmong } from '../presence/connections.ts';
import { toUser } from '../users/view.ts';
import { listMemberIds } from './members.sql.ts';
import type { RoomRow } from './rooms.sql.ts';

/** Rooms as the protocol says them, with who is online at this moment. */
export async function toRooms(ctx: Context, rows: readonly RoomRow[]): Promise<Room[]> {
  const { counts, online } = await countOnline(ctx, rows);
  return rows.map((row) => toRoom(row, counts.get(row.id) ?? 0, online));
}

async function countOnline(
  ctx: Context,
  rows: readonly RoomRow[],
): Promise<{ counts: ReadonlyMap<string, number>; online: ReadonlySet<string> }> {
  const members =
    rows.length > 0
      ? await listMemberIds(
          ctx.db,
          rows.map((row) => row.id),
        )
      : [];
  const online = await onlineAmong(ctx, [...new Set(members.map((member) => member.user_id))]);
  const counts = new Map<string, number>();
  for (const { room_id: roomId, user_id: userId } of members) {
    if (online.has(userId)) counts.set(roomId, (counts.get(roomId) ?? 0) + 1);
  }
  return { counts, online };
}

function toRoom(row: RoomRow, onlineCount: number, online: ReadonlySet<string>): Room {
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
    ...(row.my_role !== null && {
      me: {
        role: row.my_role,
        lastReadSeq,
        unread: Math.max(0, row.head_seq - lastReadSeq),
        ...(row.my_muted_until !== null &&
          row.my_muted_until.getTime() > Date.now() && { mutedUntil: row.my_muted_until.toISOString() }),
      },
    }),
    ...(row.peer_id !== null && {
      peer: toUser(
        {
          id: row.peer_id,
          name: row.peer_name ?? row.peer_id,
          avatar_url: row.peer_avatar_url,
          status_text: row.peer_status_text,
          last_seen_at: row.peer_last_seen_at,
        },
        online.has(row.peer_id),
      ),
    }),
  };
}
