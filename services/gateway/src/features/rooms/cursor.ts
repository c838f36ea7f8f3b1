import { ChatError } from '../../platform/errors.ts';

/**
 * Cuts a page off rows of which one more was read than it may have, so that it is known whether another page follows.
 *
 * @param keysOf the sort keys by which the next page is found
 */
export function cutPage<Row>(
  rows: readonly Row[],
  limit: number,
  keysOf: (row: Row) => string[],
): { page: Row[]; next: { nextCursor?: string } } {
  const page = rows.slice(0, limit);
  const last = rows.length > page.length ? page.at(-1) : undefined;
  return { page, next: last ? { nextCursor: encodeCursor(...keysOf(last)) } : {} };
}

/** A cursor is opaque to clients: base64url of the last entry's sort keys. */
function encodeCursor(...keys: string[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url');
}

/** @throws ChatError `VALIDATION_ERROR` when it is none of ours */
export function decodeCursor(cursor: string, keys: readonly RegExp[]): string[] {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const fits =
      Array.isArray(decoded) &&
      decoded.length === keys.length &&
      keys.every((key, index) => typeof decoded[index] === 'string' && key.test(decoded[index]));
    if (fits) return decoded as string[];
  } catch {
    // Not JSON: answered like any other cursor that is not ours.
  }
  throw new ChatError('VALIDATION_ERROR', { details: [{ path: 'cursor', message: 'is no cursor of this list' }] });
}
