import type { Database } from '@parley/database';
import { sql, type Kysely } from 'kysely';
import { userColumnsInSql, type UserRow } from '../users/view.ts';

export interface MemberRow extends UserRow {
  role: 'owner' | 'moderator' | 'member';
}

/** A row as PostgreSQL writes it as JSON. */
export type MemberInJson = Omit<MemberRow, 'last_seen_at'> & { last_seen_at: string | null };

export function fromJson(row: MemberInJson): MemberRow {
  return { ...row, last_seen_at: row.last_seen_at === null ? null : new Date(row.last_seen_at) };
}

/** Members by user id, after the given one. */
export async function listMembers(
  db: Kysely<Database>,
  roomId: string,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<MemberRow[]> {
  const { rows } = await sql<MemberRow>`
    select ${userColumnsInSql}, members.role from members join users on users.id = members.user_id
    where members.room_id = ${roomId} and members.user_id > ${after ?? ''} order by members.user_id limit ${limit}`.execute(
    db,
  );
  return rows;
}
