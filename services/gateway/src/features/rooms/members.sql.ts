import type { Database } from '@parley/database';
import type { Kysely } from 'kysely';
import { userColumns, type UserRow } from '../users/view.ts';

export interface MemberRow extends UserRow {
  role: 'owner' | 'moderator' | 'member';
}

/** Members by user id, after the given one. */
export function listMembers(
  db: Kysely<Database>,
  roomId: string,
  page: { after: string | undefined; limit: number },
): Promise<MemberRow[]> {
  return db
    .selectFrom('members')
    .innerJoin('users', 'users.id', 'members.user_id')
    .where('members.room_id', '=', roomId)
    .$if(page.after !== undefined, (qb) => qb.where('members.user_id', '>', page.after as string))
    .orderBy('members.user_id')
    .limit(page.limit)
    .select([...userColumns, 'members.role'])
    .execute();
}
