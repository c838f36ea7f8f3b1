import { z } from 'zod';
import { text } from './text.ts';

/** The largest page of any list, and the most messages of one `message:history`. */
export const HISTORY_MAX = 100;
/** The size of a page when none is asked for. */
export const PAGE_DEFAULT = 50;

/** How many entries a page has. */
export const Limit = z.int().min(1).max(HISTORY_MAX).default(PAGE_DEFAULT);

/** Where the next page begins: opaque, as the server gave it. */
export const PageCursor = text({ min: 1, max: 512 }).meta({
  minLength: 1,
  maxLength: 512,
  description: 'Opaque: `nextCursor` of the page before.',
});

export const NextCursor = z.string().exactOptional().describe('Absent on the last page.');

/**
 * A number in a query string: decimal digits and nothing else, so that `1e2`, `0x10`, ` 5` and an empty value are
 * errors. What is a number already passes as it is.
 */
export function queryNumber<T extends z.ZodType<number>>(schema: T) {
  return z.preprocess((value, context) => {
    if (typeof value !== 'string') return value;
    if (/^[0-9]{1,16}$/.test(value)) return Number(value);
    context.addIssue({ code: 'custom', message: 'must be a whole number' });
    return z.NEVER;
  }, schema) as unknown as z.ZodType<z.output<T>, z.input<T>>;
}

export const QueryLimit = queryNumber(Limit);
