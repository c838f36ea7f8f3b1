import type { ChosenStatus } from '@parley/database';
import type { User } from '@parley/protocol';
import { sql } from 'kysely';

/** What of a user others may see; selected by every query that shows people. */
export interface UserRow {
  id: string;
  name: string;
  avatar_url: string | null;
  status_text: string | null;
  chosen_status: ChosenStatus;
  last_seen_at: Date | null;
}

export const userColumns = [
  'users.id',
  'users.name',
  'users.avatar_url',
  'users.status_text',
  'users.chosen_status',
  'users.last_seen_at',
] as const;

/** The same for SQL that is written as text. */
export const userColumnsInSql = sql.raw(userColumns.join(', '));

/** A row as the protocol says it. */
export function toUser(row: UserRow, isOnline: boolean): User {
  return {
    id: row.id,
    name: row.name,
    status: isOnline ? row.chosen_status : 'offline',
    ...(row.avatar_url !== null && { avatarUrl: row.avatar_url }),
    ...(row.status_text !== null && { statusText: row.status_text }),
    ...(!isOnline && row.last_seen_at !== null && { lastSeenAt: row.last_seen_at.toISOString() }),
  };
}
