import { authLogin, authRegister } from '@parley/protocol';
import type { FastifyReply } from 'fastify';
import type { Context } from '../../context.ts';
import { ACCESS_COOKIE, REFRESH_COOKIE } from '../../platform/http/credentials.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { login, register, type LoggedIn } from './accounts.ts';
import { ACCESS_TTL_MS, REFRESH_TTL_MS } from './sessions.ts';
import type { Tokens } from './tokens.ts';

export function authRoutes(tokens: Tokens): Route<Context>[] {
  return [
    route(authRegister, async ({ ctx, body, reply }) => loggedIn(reply, await register(ctx, tokens, body))),
    route(authLogin, async ({ ctx, body, reply }) =>
      loggedIn(reply, await login(ctx, tokens, { ...body, address: reply.request.ip })),
    ),
  ];
}

/** Answers with the access token, and sets both cookies for browsers. */
function loggedIn(reply: FastifyReply, { user, login: { accessToken, refreshToken, expiresAt } }: LoggedIn) {
  const shared = { httpOnly: true, sameSite: 'lax', secure: reply.request.protocol === 'https' } as const;
  reply.setCookie(ACCESS_COOKIE, accessToken, { ...shared, path: '/', maxAge: ACCESS_TTL_MS / 1_000 });
  reply.setCookie(REFRESH_COOKIE, refreshToken, { ...shared, path: '/api/auth', maxAge: REFRESH_TTL_MS / 1_000 });
  return { user, accessToken, expiresAt: new Date(expiresAt).toISOString() };
}
