import { z } from 'zod';
import { pattern, text } from './text.ts';

/**
 * The id of a room in a request. Any UUID in either case, so that an id that was never given out is `NOT_FOUND` and
 * not a matter of its version.
 */
export const RoomId = pattern(/^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 'must be a UUID')
  .overwrite((id) => id.toLowerCase())
  .meta({ format: 'uuid' });

/** The id of a user in a request: the `sub` of its tokens. */
export const UserId = pattern(
  /^[A-Za-z0-9_.:@-]{1,128}$/,
  'must be 1 to 128 letters, digits, "_", ".", ":", "@" or "-"',
);

/** Chosen by the client, the key of idempotence for (room, sender). It is kept as it is, without NFC. */
export const ClientMsgId = text({ min: 1, max: 64 }).meta({
  minLength: 1,
  maxLength: 64,
  description: 'The key of idempotence for (room, sender).',
});

export const DeviceId = text({ min: 1, max: 128 });

/** The place of a message: 1, 2, 3, ... in its room. */
export const Seq = z.int().min(1);

/** A place in a stream, where 0 is before the first. */
export const Position = z.int().min(0);

/** How much of a room one has: messages up to `seq`, changes up to `rev`. */
export const RoomCursor = z.object({ seq: Position, rev: Position.exactOptional() }).meta({ id: 'RoomCursor' });
export type RoomCursor = z.output<typeof RoomCursor>;
