import { Tokenizer } from 'htmlparser2';

/** What is done with HTML in messages; the contract's `HTML_POLICY`. */
export const HTML_POLICIES = ['keep', 'strip', 'reject'] as const;
export type HtmlPolicy = (typeof HTML_POLICIES)[number];

/**
 * Where a browser begins to read a tag, a comment or a declaration. `a < b`, `<3` and `</3` are none of them. One that
 * never ends counts as well: what a careless page puts behind it would end it.
 */
const MARKUP = /<(?=\/?[a-z]|!--|!\[|![a-z]|\?[a-z])/gi;

/** A `<` that begins nothing of that, but that the tokenizer, like a browser, takes for a comment up to the next `>`. */
const NO_MARKUP = /<(?=[/!?])(?!\/[a-z]|!--|!\[|![a-z]|\?[a-z])/gi;
/** Stands for such a `<` meanwhile. No content holds it. */
const SHIELD = '\u0000';

/** Replaces each `<` from a tag on that never ends, so that its text stays readable: one code point for another. */
const HARMLESS = '\u2039';

/** Their content is no text. */
const WITHOUT_TEXT: ReadonlySet<string> = new Set(['script', 'style']);

/** Tags that are put together from the pieces of others make another pass necessary. Nobody needs that by accident. */
const MOST_PASSES = 5;

export function containsHtml(text: string): boolean {
  return text.search(MARKUP) !== -1;
}

/**
 * The text without tags, comments and declarations, and without scripts and styles. Entities stay as they are written:
 * the result is text, not HTML. It is never longer, and `containsHtml` is false for it.
 *
 * @returns undefined when what is left still makes new tags after some passes
 */
export function stripHtml(text: string): string | undefined {
  let stripped = text;
  for (let pass = 0; containsHtml(stripped); pass += 1) {
    if (pass === MOST_PASSES) return undefined;
    stripped = withoutTags(stripped.replace(NO_MARKUP, SHIELD)).replaceAll(SHIELD, '<');
  }
  return stripped;
}

/** One pass, linear in the length of the text: the tokenizer keeps no tree and no stack. */
function withoutTags(text: string): string {
  const kept: string[] = [];
  /** Where the tag begins that is being read. */
  let openAt: number | undefined;
  let hidden = false;
  const ended = () => {
    openAt = undefined;
  };
  const ignored = () => {};
  const tokenizer = new Tokenizer(
    { decodeEntities: false },
    {
      ontext(start, end) {
        if (start < 0) return; // the tokenizer's way to tell of an end tag that does not end
        ended();
        if (!hidden) kept.push(text.slice(start, end));
      },
      onopentagname(start, end) {
        openAt = start - 1;
        if (WITHOUT_TEXT.has(text.slice(start, end).toLowerCase())) hidden = true;
      },
      onclosetag(start) {
        openAt = start - 2;
        hidden = false;
      },
      onopentagend: ended,
      onselfclosingtag: ended,
      oncdata: ended,
      oncomment: ended,
      ondeclaration: ended,
      onprocessinginstruction: ended,
      onattribname: ignored,
      onattribdata: ignored,
      onattribentity: ignored,
      onattribend: ignored,
      ontextentity: ignored,
      onend: ignored,
    },
  );
  // The space ends the name of a last tag, and is told as text behind a tag that has ended.
  tokenizer.write(`${text} `);
  tokenizer.end();
  if (openAt !== undefined) kept.push(text.slice(openAt).replace(MARKUP, HARMLESS));
  return kept.join('');
}
