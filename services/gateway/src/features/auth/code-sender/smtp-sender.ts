import { createTransport } from 'nodemailer';
import type { CodeSender } from './code-sender.ts';

/** How long a mail server may take to be reached, to greet, and to answer, ms. */
const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 2;

export interface SmtpOptions {
  /** `smtp://user:password@host:587`, or `smtps://` for TLS from the first byte. */
  url: string;
  /** The sender's address, with a name or without: `Parley <chat@example.org>`. */
  from: string;
}

/** Sends codes by mail, over a few connections that are kept open while there is something to send. */
export function createSmtpSender({ url, from }: SmtpOptions): CodeSender {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: MAX_CONNECTIONS,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: ANSWER_TIMEOUT_MS,
    socketTimeout: ANSWER_TIMEOUT_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ username, email, code, ttlMs }) {
      if (email === undefined) throw new Error('this account has no e-mail address');
      const minutes = Math.round(ttlMs / 60_000);
      await transport.sendMail({
        from,
        to: { name: '', address: email },
        subject: 'Your login code',
        text:
          `${code} is the login code of ${username}. It is good for one login, within ${minutes} minutes.\n\n` +
          'Nobody needs it but you. If you did not ask for it, there is nothing to do.\n',
      });
    },
    close: () => transport.close(),
  };
}
