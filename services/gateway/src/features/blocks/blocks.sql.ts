import type { Database } from '@parley/database';
import type { Kysely } from 'kysely';

/** Nothing happens when it was so already. */
export async function insertBlock(db: Kysely<Database>, userId: string, blockedId: string): Promise<void> {
  await db
    .insertInto('user_blocks')
    .values({ user_id: userId, blocked_id: blockedId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function deleteBlock(db: Kysely<Database>, userId: string, blockedId: string): Promise<void> {
  await db.deleteFrom('user_blocks').where('user_id', '=', userId).where('blocked_id', '=', blockedId).execute();
}

export async function isBlocking(db: Kysely<Database>, userId: string, blockedId: string): Promise<boolean> {
  const row = await db
    .selectFrom('user_blocks')
    .where('user_id', '=', userId)
    .where('blocked_id', '=', blockedId)
    .select('user_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** By user id, after the given one. */
export function listBlocks(
  db: Kysely<Database>,
  userId: string,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<{ id: string; name: string }[]> {
  return db
    .selectFrom('user_blocks')
    .innerJoin('users', 'users.id', 'user_blocks.blocked_id')
    .where('user_blocks.user_id', '=', userId)
    .$if(after !== undefined, (qb) => qb.where('user_blocks.blocked_id', '>', after as string))
    .orderBy('user_blocks.blocked_id')
    .limit(limit)
    .select(['users.id', 'users.name'])
    .execute();
}
