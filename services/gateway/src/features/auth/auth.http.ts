import {
  authCode,
  authCodeVerify,
  authLogin,
  authLogout,
  authLogoutAll,
  authPassword,
  authRefresh,
  authRegister,
} from '@parley/protocol';
import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import { REFRESH_COOKIE } from '../../platform/http/credentials.ts';
import type { IsAllowedOrigin } from '../../platform/http/origin.ts';
import { requireOwnOrigin, route, type Route } from '../../platform/http/route.ts';
import { changePassword, login, register } from './accounts.ts';
import type { Codes } from './codes.ts';
import { loggedIn, loggedOut } from './cookies.ts';
import { logout, logoutAll } from './logout.ts';
import { refresh } from './refresh.ts';
import type { Tokens } from './tokens.ts';

export interface AuthOptions {
  tokens: Tokens;
  codes: Codes;
  isAllowedOrigin: IsAllowedOrigin;
}

export function authRoutes({ tokens, codes, isAllowedOrigin }: AuthOptions): Route<Context>[] {
  return [
    route(authRegister, async ({ ctx, body, reply }) => loggedIn(reply, await register(ctx, tokens, body))),
    route(authLogin, async ({ ctx, body, reply }) =>
      loggedIn(reply, await login(ctx, tokens, { ...body, address: reply.request.ip })),
    ),
    route(authCode, async ({ ctx, body, reply }) => {
      const { code, deliver } = await codes.request(ctx, body.username);
      reply.raw.once('close', deliver);
      return ctx.config.AUTH_CODE_ECHO ? { code } : {};
    }),
    route(authCodeVerify, async ({ ctx, body, reply }) =>
      loggedIn(reply, await codes.verify(ctx, tokens, { ...body, address: reply.request.ip })),
    ),
    route(authRefresh, async ({ ctx, reply }) => {
      const token = reply.request.cookies[REFRESH_COOKIE];
      if (token === undefined) throw new ChatError('UNAUTHORIZED', { message: `No cookie ${REFRESH_COOKIE}` });
      requireOwnOrigin(reply.request, isAllowedOrigin);
      return loggedIn(reply, await refresh(ctx, tokens, token));
    }),
    route(authLogout, async ({ ctx, actor, reply }) => {
      await logout(ctx, actor);
      loggedOut(reply);
    }),
    route(authLogoutAll, async ({ ctx, actor, reply }) => {
      await logoutAll(ctx, actor);
      loggedOut(reply);
    }),
    route(authPassword, async ({ ctx, actor, body, reply }) => {
      await changePassword(ctx, actor, { ...body, address: reply.request.ip });
      loggedOut(reply);
    }),
  ];
}
