import type { MemberUser } from '@parley/protocol';
import type { Context } from '../../context.ts';
import type { Identity } from '../../platform/identity.ts';
import { toUser } from '../users/view.ts';
import { accessRoom } from './access.ts';
import { cutPage, decodeCursor } from './cursor.ts';
import { listMembers, type MemberRow } from './members.sql.ts';

/** Members in the answer to a join. */
export const MEMBERS_PAGE = 50;
const USER_ID = /^[A-Za-z0-9_.:@-]{1,128}$/;

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
  const [rows, [online = 0]] = await Promise.all([
    listMembers(ctx.db, roomId, { after, limit: limit + 1 }),
    ctx.presence.countOnline([roomId]),
  ]);
  return { ...(await toMembersPage(ctx, roomId, { rows, limit })), online };
}

/** @param rows one more than `limit`, if there are so many */
export async function toMembersPage(
  ctx: Context,
  roomId: string,
  { rows, limit }: { rows: readonly MemberRow[]; limit: number },
): Promise<MembersPage> {
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
