import { Content, contentLength } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import { containsHtml, stripHtml, type HtmlPolicy } from './html.ts';
import { openRoomRules, type RoomRules } from './room-rules.ts';
import { readWordRule } from './word-list.ts';
import { applyWordRule, contentError, type WordRule } from './word-rule.ts';

/** What messages may say here. */
export interface ContentRules {
  /** The deployment's rule about words. */
  readonly words: WordRule | undefined;
  /** The rooms' own rules about words. */
  readonly ofRooms: RoomRules;
}

/** @throws ConfigError when the list of words can't be read */
export function openContentRules(ctx: Pick<Context, 'config' | 'db' | 'log' | 'peers'>): ContentRules {
  return { words: readWordRule(ctx.config), ofRooms: openRoomRules(ctx) };
}

/**
 * The length is that of what was written. It is asked first, so that the rules work on a bounded text, and they never
 * make it longer.
 *
 * @throws ChatError `MESSAGE_TOO_LONG`
 */
export function requireLength({ config }: Context, content: string): void {
  const most = config.limits.MAX_MESSAGE_LENGTH;
  if (most !== null && contentLength(content) > most)
    throw new ChatError('MESSAGE_TOO_LONG', { details: { max: most } });
}

/**
 * What is stored of a content that somebody wrote: HTML first, so that it hides no words, then the words of the
 * deployment, then those of the room.
 *
 * @param content NFC, not blank, not too long
 * @param ofRoom the room's own rule, if it has one
 * @throws ChatError `VALIDATION_ERROR`. Who is no member of the room should not be told: it would show that there is one
 */
export function applyContentRules({ config, content: rules }: Context, content: string, ofRoom?: WordRule): string {
  let allowed = applyHtmlPolicy(config.HTML_POLICY, content);
  if (rules.words) allowed = applyWordRule(rules.words, allowed);
  return ofRoom ? applyWordRule(ofRoom, allowed) : allowed;
}

/** @throws ChatError `VALIDATION_ERROR` */
export function applyHtmlPolicy(policy: HtmlPolicy, content: string): string {
  if (policy === 'keep' || !containsHtml(content)) return content;
  if (policy === 'reject') throw contentError('must not contain HTML; put a space behind a "<" that is none');
  const stripped = stripHtml(content);
  if (stripped === undefined) throw contentError('has HTML that is nested too deeply');
  // What has come together may have to be composed anew, and may be blank.
  const parsed = Content.safeParse(stripped);
  if (!parsed.success) throw contentError('must not be blank without its HTML');
  return parsed.data;
}
