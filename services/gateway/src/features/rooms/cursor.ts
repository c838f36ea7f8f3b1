import { ChatError } from '../../platform/errors.ts';

/** A cursor is opaque to clients: base64url of the last entry's sort keys. */
export function encodeCursor(...keys: string[]): string {
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
