import { z } from 'zod';
import { endpoint } from './define.ts';
import { RoomId } from './ids.ts';
import { text } from './text.ts';

/** A word, or a phrase. What has no letter and no digit would never be found. */
const FilteredWord = text({ min: 1, max: 50, trim: true, nfc: true })
  .refine((value) => /[\p{L}\p{N}]/u.test(value), 'must have a letter or a digit')
  .meta({ minLength: 1, maxLength: 50 });

/** What happens in one room to messages with certain words, beside the rule of the deployment. */
export const WordFilter = z
  .object({
    mode: z
      .enum(['off', 'mask', 'reject'])
      .describe('`mask`: a `*` for each character. `reject`: `VALIDATION_ERROR`. `off` keeps no words.'),
    words: z
      .array(FilteredWord)
      .max(200)
      .default([])
      .describe('Found as whole words, without regard to case; phrases with anything between their words.'),
  })
  .meta({ id: 'WordFilter' });
export type WordFilter = z.output<typeof WordFilter>;

export const roomWordFilterGet = endpoint({
  id: 'roomWordFilterGet',
  method: 'GET',
  path: '/api/rooms/:id/word-filter',
  auth: 'user',
  summary: 'The words that a room masks or refuses; for its moderators and owners',
  description: 'An extension of the contract. `PATCH /api/rooms/:id` sets them.',
  params: z.object({ id: RoomId }),
  response: z.object({ wordFilter: WordFilter }),
  status: 200,
  errors: ['FORBIDDEN', 'NOT_A_MEMBER', 'NOT_FOUND'],
});
