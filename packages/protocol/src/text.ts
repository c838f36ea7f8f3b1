import { z } from 'zod';
import { toNfc } from './nfc.ts';

const NOT_STORABLE = 'must not contain U+0000 or a lone surrogate';

/** Neither UTF-8 nor PostgreSQL can hold a lone surrogate, and PostgreSQL can't hold U+0000. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000');
}

/** The number of Unicode code points of a text, without building anything. */
export function codePointLength(text: string): number {
  let length = text.length;
  for (let at = 0; at + 1 < text.length; at += 1) {
    if ((text.charCodeAt(at) & 0xfc00) !== 0xd800 || (text.charCodeAt(at + 1) & 0xfc00) !== 0xdc00) continue;
    length -= 1;
    at += 1;
  }
  return length;
}

/** The length of a message as `MAX_MESSAGE_LENGTH` counts it: code points after NFC and trimming. */
export function contentLength(content: string): number {
  return codePointLength(toNfc(content).trim());
}

interface TextRules {
  /** The fewest code points. Default 0. */
  readonly min?: number;
  /** The most code points. */
  readonly max: number;
  /** White space at the ends is cut off. Default false. */
  readonly trim?: boolean;
  /** The text becomes NFC. Default false. */
  readonly nfc?: boolean;
}

/** A text of a bounded number of code points, counted after trimming and NFC. */
export function text({ min = 0, max, trim = false, nfc = false }: TextRules) {
  const tooLong = `must be at most ${max} characters`;
  let schema = z.string().refine(isStorable, { error: NOT_STORABLE, abort: true });
  if (trim) schema = schema.overwrite((value) => value.trim());
  if (nfc) {
    // Four code points of two units each is the most that NFC makes one of: what is longer can't fit any more.
    schema = schema.refine((value) => value.length <= max * 8, { error: tooLong, abort: true }).overwrite(toNfc);
  }
  return schema
    .refine((value) => value.length <= max || codePointLength(value) <= max, { error: tooLong, abort: true })
    .refine((value) => value.length >= min && codePointLength(value) >= min, {
      error: min === 1 ? 'must not be empty' : `must be at least ${min} characters`,
      abort: true,
    })
    .meta({ ...(min > 0 && { minLength: min }), maxLength: max });
}

/** A text of ASCII characters that matches a pattern; `rule` says in words what the pattern asks for. */
export function pattern(expression: RegExp, rule: string) {
  return z.string().regex(expression, rule);
}

/**
 * What a message says: NFC, not blank, white space at the ends kept. There is no upper bound here, since
 * `MAX_MESSAGE_LENGTH` is configured: compare it with `contentLength`.
 */
export const Content = z
  .string()
  .refine(isStorable, { error: NOT_STORABLE, abort: true })
  .overwrite(toNfc)
  .refine((value) => /\S/.test(value), 'must not be blank')
  .meta({
    minLength: 1,
    description: 'NFC, not blank, at most `MAX_MESSAGE_LENGTH` code points after trimming. Text, not HTML.',
  });

/** A mark belongs to the letter or digit that it follows; alone it would be an invisible or broken name. */
const ROOM_NAME = /^(?:[\p{L}\p{Nd}]\p{M}*|[ _.-])+$/u;

export const RoomName = text({ min: 1, max: 50, trim: true, nfc: true })
  .refine((value) => ROOM_NAME.test(value), 'must be letters, digits, space, "-", "_" and "." only')
  .meta({ minLength: 1, maxLength: 50, description: 'Letters, digits, space, `-`, `_`, `.`; trimmed and NFC.' });

/**
 * The form of a room name in which two names that differ only in case are equal. Lower case alone is no case folding
 * ("ẞ", "ß" and "SS" are one name), so it goes down, up and down again.
 */
export function roomNameKey(name: string): string {
  return name.trim().normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
}

/** The name that a user shows. */
export const DisplayName = text({ min: 1, max: 100, trim: true, nfc: true })
  .refine((value) => !/\p{Cc}/u.test(value), 'must not contain control characters')
  .meta({ minLength: 1, maxLength: 100 });

/** An empty one removes it. */
export const StatusText = text({ max: 200, trim: true, nfc: true });
/** An empty one removes it. */
export const Topic = text({ max: 500, trim: true, nfc: true });
export const Reason = text({ max: 500, trim: true, nfc: true });
/** What a list is searched for. */
export const Search = text({ max: 100, trim: true, nfc: true });

export const Emoji = text({ min: 1, max: 32 })
  .refine((value) => !/[\s\p{Cc}]/u.test(value), 'must not contain white space or control characters')
  .meta({ minLength: 1, maxLength: 32 });

/** An http or https address, or empty to remove it. */
export const AvatarUrl = text({ max: 2048 })
  .refine((value) => value === '' || isHttpUrl(value), 'must be an http or https URL')
  .meta({ maxLength: 2048, description: 'An http or https URL; empty removes it.' });

function isHttpUrl(value: string): boolean {
  // The URL parser skips tabs, line breaks and spaces at the ends, so that "java\nscript:" would get a say.
  return /^https?:\/\/[^\s\p{Cc}]+$/iu.test(value) && URL.canParse(value);
}

export const Username = pattern(/^[A-Za-z0-9_-]{3,20}$/, 'must be 3 to 20 letters, digits, "_" or "-"');
export const Password = text({ min: 8, max: 200 });
/** Where mail goes. Only its form is checked, as only a delivery can check the rest. */
export const Email = z
  .email({ error: 'must be an e-mail address', abort: true })
  .max(254, 'must be at most 254 characters');
/** A token in a payload. Whether it is any good is for the server to say. */
export const Token = text({ min: 1, max: 16_384 });
