import type { FastifyReply } from 'fastify';
import { ACCESS_COOKIE, REFRESH_COOKIE } from '../../platform/http/credentials.ts';
import { ACCESS_TTL_MS, REFRESH_TTL_MS, type LoggedIn } from './sessions.ts';

/** The refresh token goes only where it is used. */
const REFRESH_PATH = '/api/auth';

const shared = (reply: FastifyReply) =>
  ({ httpOnly: true, sameSite: 'lax', secure: reply.request.protocol === 'https' }) as const;

/** Answers with the access token, and sets both cookies for browsers. */
export function loggedIn(reply: FastifyReply, { user, login: { accessToken, refreshToken, expiresAt } }: LoggedIn) {
  reply.setCookie(ACCESS_COOKIE, accessToken, { ...shared(reply), path: '/', maxAge: ACCESS_TTL_MS / 1_000 });
  reply.setCookie(REFRESH_COOKIE, refreshToken, {
    ...shared(reply),
    path: REFRESH_PATH,
    maxAge: REFRESH_TTL_MS / 1_000,
  });
  return { user, accessToken, expiresAt: new Date(expiresAt).toISOString() };
}

/** Takes both cookies out of the browser. */
export function loggedOut(reply: FastifyReply): void {
  reply.clearCookie(ACCESS_COOKIE, { ...shared(reply), path: '/' });
  reply.clearCookie(REFRESH_COOKIE, { ...shared(reply), path: REFRESH_PATH });
}
