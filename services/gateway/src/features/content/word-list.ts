import { readFileSync } from 'node:fs';
import { ConfigError, type Config } from '../../config.ts';
import type { WordRule } from './word-rule.ts';
import { createWordFilter } from './words.ts';

/**
 * The deployment's rule about words, if it has one. Read once, when the gateway starts.
 *
 * @throws ConfigError when the file can't be read, or when there is a rule without a word
 */
export function readWordRule({
  WORD_FILTER: mode,
  WORD_FILTER_WORDS: words,
  WORD_FILTER_FILE: file,
}: Pick<Config, 'WORD_FILTER' | 'WORD_FILTER_WORDS' | 'WORD_FILTER_FILE'>): WordRule | undefined {
  if (mode === 'off') return undefined;
  const entries = [...words, ...(file === undefined ? [] : readLines(file))];
  if (entries.length === 0) throw new ConfigError(['WORD_FILTER needs WORD_FILTER_WORDS or WORD_FILTER_FILE']);
  return { mode, filter: createWordFilter(entries) };
}

/** Blank lines and lines that begin with # are left out. */
function readLines(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([`WORD_FILTER_FILE can not be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`]);
  }
  return text.split(/\r?\n/).flatMap((line) => (line.startsWith('#') ? [] : line.trim() || []));
}
