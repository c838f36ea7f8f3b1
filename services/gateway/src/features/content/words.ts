import { codePointLength, roomNameKey } from '@parley/protocol';

/** A word or a phrase in a text, as offsets of its UTF-16 units. */
interface Place {
  start: number;
  end: number;
}

/** Finds words of a list in texts. Making one costs time by the list, using it by the text alone. */
export interface WordFilter {
  has(text: string): boolean;
  /** The text with `*` for each code point of what was found. */
  mask(text: string): string;
}

/**
 * A word: letters, digits, marks and `_`, with what is invisible in between (soft hyphens, joiners), which would
 * otherwise hide a word. In scripts that put no space between words each letter is one, so that a word of theirs is
 * found as a phrase.
 */
const WORD =
  /[[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]&&\p{L}]\p{M}*|[[\p{L}\p{N}\p{M}\p{Cf}_]--[[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]&&\p{L}]]+/gv;
/** What most words are; the general way makes the same of them, and takes twice as long. */
const PLAIN = /^[A-Za-z0-9_]+$/;
const INVISIBLE = /\p{Cf}/gu;

/** The words on a path are those of a phrase; `ends` says that it is whole here. */
interface Branch {
  next: Map<string, Branch>;
  ends: boolean;
}

/** A word as it is compared: without regard to case, to forms of the same letter (full width, bold), to the invisible. */
function keyOf(word: string): string {
  if (PLAIN.test(word)) return word.toLowerCase();
  return roomNameKey(word.replace(INVISIBLE, '').normalize('NFKC'));
}

/**
 * Words are found as whole words (`ass` is not in `class`), phrases with anything between their words but letters and
 * digits. Entries without a letter or digit find nothing.
 */
export function createWordFilter(entries: Iterable<string>): WordFilter {
  const root: Branch = { next: new Map(), ends: false };
  for (const entry of entries) {
    let branch = root;
    for (const [word] of entry.normalize('NFC').matchAll(WORD)) {
      const key = keyOf(word);
      if (key === '') continue;
      const next = branch.next.get(key) ?? { next: new Map(), ends: false };
      branch.next.set(key, next);
      branch = next;
    }
    if (branch !== root) branch.ends = true;
  }

  function* find(text: string): Generator<Place> {
    if (root.next.size === 0) return;
    const words = Array.from(text.matchAll(WORD), (found) => ({
      key: keyOf(found[0]),
      start: found.index,
      end: found.index + found[0].length,
    })).filter(({ key }) => key !== '');
    for (let first = 0; first < words.length; first += 1) {
      const last = lastOfLongest(root, words, first);
      if (last === undefined) continue;
      yield { start: words[first]?.start ?? 0, end: words[last]?.end ?? 0 };
      first = last;
    }
  }

  return {
    has: (text) => find(text).next().done === false,
    mask(text) {
      let masked = '';
      let at = 0;
      for (const { start, end } of find(text)) {
        masked += text.slice(at, start) + '*'.repeat(codePointLength(text.slice(start, end)));
        at = end;
      }
      return masked + text.slice(at);
    },
  };
}

/** Where the longest entry ends that begins at `first`. */
function lastOfLongest(root: Branch, words: readonly { key: string }[], first: number): number | undefined {
  let last: number | undefined;
  let branch: Branch | undefined = root;
  for (let at = first; at < words.length; at += 1) {
    branch = branch.next.get(words[at]?.key ?? '');
    if (!branch) break;
    if (branch.ends) last = at;
  }
  return last;
}
