import { createHmac, hkdfSync, randomInt, timingSafeEqual } from 'node:crypto';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import { findAccount, usernameKey } from './accounts.sql.ts';
import { putCode, takeAttempt, useCode } from './codes.sql.ts';
import type { CodeMessage, CodeSender } from './code-sender/code-sender.ts';
import { countFailure, forgetFailures, requireUnlocked } from './lock-out.ts';
import { openSession, type LoggedIn } from './sessions.ts';
import type { Tokens } from './tokens.ts';

const CODE_TTL_MS = 600_000;
/** Attempts that one code is good for. */
const ATTEMPTS = 5;
/** Codes that are made for one name: a new code brings new attempts, so these bound the guesses of all addresses. */
const REQUESTS = { requests: 10, windowMs: 600_000 };
/** Codes that may be on their way at once. A mail server that hangs must not fill the memory. */
const MAX_SENDING = 1_000;

export interface Codes {
  /**
   * Makes a code for an account, or does as if there was one.
   *
   * @returns `deliver`, which sends it if there is an account: to be called after the answer, so that the answer's time
   *   tells nothing of it
   * @throws ChatError `RATE_LIMITED`
   */
  request(ctx: Context, username: string): Promise<{ code: string; deliver: () => void }>;
  /** @throws ChatError `UNAUTHORIZED` for every code that is not good, `RATE_LIMITED` while locked */
  verify(ctx: Context, tokens: Tokens, input: { username: string; code: string; address: string }): Promise<LoggedIn>;
  /** Waits for the codes that are on their way. */
  stop(): Promise<void>;
}

/**
 * Codes of six digits that log in once. A name that nobody has gets a code of its own that no login accepts: the same
 * rows are written for it, and it is refused by the same steps.
 *
 * @param options `secret`: what the codes are hashed with. Six digits are tried out in a second, so a plain hash in a
 *   stolen database would be no hash at all; the key for it is not in the database.
 */
export function createCodes({ secret, sender }: { secret: string; sender: CodeSender }): Codes {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'parley one-time codes', 32));
  const hashOf = (accountKey: string, code: string) =>
    createHmac('sha256', key).update(`${accountKey}\n${code}`).digest();
  const sending = new Set<Promise<void>>();

  function send({ log, metrics }: Context, message: CodeMessage): void {
    if (sending.size >= MAX_SENDING) {
      metrics.codesSent.inc({ result: 'dropped' });
      log.warn({ username: message.username }, 'too many codes are being sent: this one is not');
      return;
    }
    const sent = sender
      .send(message)
      .then(
        () => metrics.codesSent.inc({ result: 'sent' }),
        (error: unknown) => {
          metrics.codesSent.inc({ result: 'failed' });
          log.warn({ err: error, username: message.username }, 'a one-time code could not be sent');
        },
      )
      .finally(() => sending.delete(sent));
    sending.add(sent);
  }

  return {
    async request(ctx, username) {
      const accountKey = usernameKey(username);
      const code = String(randomInt(1_000_000)).padStart(6, '0');
      const [account, refusedUntil] = await Promise.all([
        findAccount(ctx.db, username),
        putCode(ctx.db, { accountKey, hash: hashOf(accountKey, code), ttlMs: CODE_TTL_MS }, REQUESTS),
      ]);
      if (refusedUntil) {
        throw new ChatError('RATE_LIMITED', {
          message: 'Too many codes',
          retryAfterMs: Math.max(1, refusedUntil.getTime() - Date.now()),
        });
      }
      const deliver = () => {
        if (!account || account.banned_at !== null) return;
        const email = account.email ?? undefined;
        send(ctx, { username: account.username, email, code, ttlMs: CODE_TTL_MS });
      };
      return { code, deliver };
    },

    async verify(ctx, tokens, { username, code, address }) {
      const lock = { accountKey: usernameKey(username), address };
      await requireUnlocked(ctx, lock);
      const [account, hash] = await Promise.all([
        findAccount(ctx.db, username),
        takeAttempt(ctx.db, lock.accountKey, ATTEMPTS),
      ]);
      const isRight = hash !== undefined && timingSafeEqual(hash, hashOf(lock.accountKey, code));
      if (!account || !isRight || account.banned_at !== null) {
        await countFailure(ctx, lock);
        throw wrongCode();
      }
      await forgetFailures(ctx, lock);
      if (!(await useCode(ctx.db, lock.accountKey, hash))) throw wrongCode();
      return openSession(ctx, tokens, { id: account.id, name: account.name, role: account.role });
    },

    async stop() {
      await Promise.all(sending);
      sender.close();
    },
  };
}

const wrongCode = () => new ChatError('UNAUTHORIZED', { message: 'Wrong code' });
