import { randomBytes } from 'node:crypto';
import { LoginData } from '@parley/protocol';
import { cookiesOf } from './cookies.ts';
import { call, type HttpAnswer } from './http.ts';

export const PASSWORD = 'correct horse battery';

/** What a login gave out. */
export interface TestLogin {
  userId: string;
  username: string;
  token: string;
  /** The value of the refresh cookie. */
  refresh: string;
}

/** A new account and its first login. */
export async function newAccount(
  gateway: { url: string },
  more: { username?: string; email?: string } = {},
): Promise<TestLogin> {
  const username = more.username ?? `u${randomBytes(6).toString('hex')}`;
  const body = { ...more, username, password: PASSWORD };
  return loginOf(await call(gateway, 'authRegister', { body }), username);
}

/** One more login of an account. */
export async function logIn(gateway: { url: string }, username: string, password = PASSWORD): Promise<TestLogin> {
  return loginOf(await call(gateway, 'authLogin', { body: { username, password } }), username);
}

export function loginOf(answer: HttpAnswer, username: string): TestLogin {
  const { user, accessToken } = LoginData.parse(answer.json());
  const refresh = cookiesOf(answer)['parley_refresh']?.value ?? '';
  return { userId: user.id, username, token: accessToken, refresh };
}

/** `POST /auth/refresh` as a page of the server's own origin sends it. */
export function refreshWith(gateway: { url: string }, refresh: string): Promise<HttpAnswer> {
  const headers = { cookie: `parley_refresh=${refresh}`, origin: gateway.url };
  return call(gateway, 'authRefresh', { headers });
}
