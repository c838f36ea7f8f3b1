import { ChatError } from '../../platform/errors.ts';
import type { WordFilter } from './words.ts';

/** What happens to messages with certain words. */
export interface WordRule {
  mode: 'mask' | 'reject';
  filter: WordFilter;
}

/**
 * The content as the rule lets it pass.
 *
 * @throws ChatError `VALIDATION_ERROR`; it does not say which word, which would be a way to read the list
 */
export function applyWordRule({ mode, filter }: WordRule, content: string): string {
  if (mode === 'mask') return filter.mask(content);
  if (filter.has(content)) throw contentError('has words that are not allowed here');
  return content;
}

export function contentError(message: string): ChatError {
  return new ChatError('VALIDATION_ERROR', { details: [{ path: 'content', message }] });
}
