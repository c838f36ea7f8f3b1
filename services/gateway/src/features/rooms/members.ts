import type { MemberUser } from '@parley/protocol';
import type { Context } from '../../context.ts';
import type { Identity } from '../../platform/identity.ts';
import { toUser } from '../users/view.ts';
import { accessRoom } from './access.ts';
import { cutPage, decodeCursor } from './cursor.ts';
import { listMembers } from './members.sql.ts';

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
  await accessRoom(ctx, actor, { roomId, to: 'see' });
  const [after] = cursor === undefined ? [] : decodeCursor(cursor, [USER_ID]);
  const [page, [online = 0]] = await Promise.all([
    membersPage(ctx, roomId, { after, limit }),
    ctx.presence.countOnline([roomId]),
  ]);
  return { ...page, online };
}

/** Members by user id. The room has to be accessible: nothing is checked here. */
export async function membersPage(
  ctx: Context,
  roomId: string,
  { after, limit }: { after?: string | undefined; limit: number } = { limit: FIRST_PAGE },
): Promise<MembersPage> {
  const rows = await listMembers(ctx.db, roomId, { after, limit: limit + 1 });
  const { page, next } = cutPage(rows, limit, (row) => [row.id]);
  const online = await ctx.presence.onlineIn(
    roomId,
    page.map((row) => row.id),
  );
  return {
    members: page.map((row) => ({ ...toUser(row, online.has(row.id)), role: row.role })),
    ...next,
  };
}
