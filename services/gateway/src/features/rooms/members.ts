import type { MemberUser } from '@parley/protocol';
import type { Context } from '../../context.ts';
import type { Identity } from '../../platform/identity.ts';
import { toUser } from '../users/view.ts';
import { accessRoom } from './access.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { listMembers } from './members.sql.ts';
import { toRooms } from './view.ts';

const USER_ID = /^[A-Za-z0-9_.:@-]{1,128}$/;
const FIRST_PAGE = 50;

export interface MembersPage {
  members: MemberUser[];
  nextCursor?: string;
}

export async function getMembers(
  ctx: Context,
  actor: Identity,
  { roomId, cursor, limit }: { roomId: string; cursor?: string; limit: number },
): Promise<MembersPage & { online: number }> {
  const room = await accessRoom(ctx, actor, { roomId, to: 'see' });
  const [after] = cursor === undefined ? [] : decodeCursor(cursor, [USER_ID]);
  const [page, [view]] = await Promise.all([
    membersPage(ctx, roomId, { after, limit }),
    toRooms(ctx, actor.user.id, [room]),
  ]);
  return { ...page, online: view?.onlineCount ?? 0 };
}

/** Members by user id. The room has to be accessible: nothing is checked here. */
export async function membersPage(
  ctx: Context,
  roomId: string,
  { after, limit }: { after?: string | undefined; limit: number } = { limit: FIRST_PAGE },
): Promise<MembersPage> {
  const rows = await listMembers(ctx.db, roomId, { after, limit: limit + 1 });
  const page = rows.slice(0, limit);
  const online = await ctx.presence.onlineIn(
    roomId,
    page.map((row) => row.id),
  );
  const last = rows.length > page.length ? page.at(-1) : undefined;
  return {
    members: page.map((row) => ({ ...toUser(row, online.has(row.id)), role: row.role })),
    ...(last && { nextCursor: encodeCursor(last.id) }),
  };
}
