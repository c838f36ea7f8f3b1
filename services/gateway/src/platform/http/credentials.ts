import cookie from '@fastify/cookie';
import type { IncomingMessage } from 'node:http';

export const ACCESS_COOKIE = 'parley_access';
export const REFRESH_COOKIE = 'parley_refresh';

export interface Credential {
  token: string;
  from: 'header' | 'cookie';
}

/** The token that an HTTP request carries: `Authorization: Bearer` first, else the access cookie. */
export function findCredential(request: IncomingMessage): Credential | undefined {
  const bearer = /^Bearer\s+(.*)$/i.exec(request.headers.authorization ?? '');
  if (bearer) return { token: (bearer[1] ?? '').trim(), from: 'header' };
  const header = request.headers.cookie;
  if (header === undefined || !header.includes(ACCESS_COOKIE)) return undefined;
  const token = cookie.fastifyCookie.parse(header)[ACCESS_COOKIE];
  return token === undefined ? undefined : { token, from: 'cookie' };
}
