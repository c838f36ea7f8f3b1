import type { Config } from '../../../config.ts';
import type { Log } from '../../../platform/log.ts';
import { createLogSender } from './log-sender.ts';
import { createSmtpSender } from './smtp-sender.ts';

/** A one-time code on its way to the owner of an account. */
export interface CodeMessage {
  username: string;
  /** Undefined when the account has none. */
  email: string | undefined;
  code: string;
  /** How long the code is good, ms. */
  ttlMs: number;
}

/** Brings codes to people. */
export interface CodeSender {
  /** Resolves when somebody else answers for it. @throws when it could not be sent */
  send(message: CodeMessage): Promise<void>;
  close(): void;
}

/** The sender that the configuration names (`CODE_SENDER`). */
export function createCodeSender(config: Config, log: Log): CodeSender {
  const { CODE_SENDER: kind, SMTP_URL: url, SMTP_FROM: from } = config;
  if (kind === 'smtp' && url !== undefined && from !== undefined) return createSmtpSender({ url, from });
  return createLogSender(log);
}
