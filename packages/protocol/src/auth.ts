import { z } from 'zod';
import { endpoint } from './define.ts';
import { Time, User } from './objects.ts';
import { AvatarUrl, DisplayName, Email, Password, pattern, StatusText, text, Username } from './text.ts';

/** The answer of everything that logs one in. */
export const LoginData = z.object({ user: User, accessToken: z.string(), expiresAt: Time }).meta({ id: 'LoginData' });
export type LoginData = z.output<typeof LoginData>;

// What is checked against an account is only bounded, not held to the rules of a new account: a name or password that
// no account can have is answered as any other wrong one.
const KnownUsername = text({ min: 1, max: 200 });
const KnownPassword = text({ min: 1, max: 200 });

export const authRegister = endpoint({
  id: 'authRegister',
  method: 'POST',
  path: '/api/auth/register',
  auth: 'none',
  summary: 'Makes an account and logs in',
  body: z.object({
    username: Username,
    password: Password,
    name: DisplayName.exactOptional().describe('The name that others see; the username by default.'),
    email: Email.exactOptional().describe('Extension: where one-time codes are sent. Nobody is told of it.'),
  }),
  response: LoginData,
  status: 201,
  setsCookies: true,
  errors: ['CONFLICT', 'RATE_LIMITED'],
});

export const authLogin = endpoint({
  id: 'authLogin',
  method: 'POST',
  path: '/api/auth/login',
  auth: 'none',
  summary: 'Logs in with a password',
  body: z.object({ username: KnownUsername, password: KnownPassword }),
  response: LoginData,
  status: 200,
  setsCookies: true,
  errors: ['UNAUTHORIZED', 'RATE_LIMITED'],
});

export const authCode = endpoint({
  id: 'authCode',
  method: 'POST',
  path: '/api/auth/code',
  auth: 'none',
  summary: 'Sends a code of six digits that logs in once, within 10 minutes',
  description:
    'The answer is the same for an unknown user. A new code replaces the one before; ten codes in 10 minutes are the most.',
  body: z.object({ username: KnownUsername }),
  response: z.object({ code: z.string().exactOptional().describe('Only with `AUTH_CODE_ECHO=true`.') }),
  status: 200,
  errors: ['RATE_LIMITED'],
});

export const authCodeVerify = endpoint({
  id: 'authCodeVerify',
  method: 'POST',
  path: '/api/auth/code/verify',
  auth: 'none',
  summary: 'Logs in with a code',
  description: 'A code is good for five attempts. A wrong one counts to the lock-out as a wrong password does.',
  body: z.object({ username: KnownUsername, code: pattern(/^[0-9]{6}$/, 'must be six digits') }),
  response: LoginData,
  status: 200,
  setsCookies: true,
  errors: ['UNAUTHORIZED', 'RATE_LIMITED'],
});

export const authRefresh = endpoint({
  id: 'authRefresh',
  method: 'POST',
  path: '/api/auth/refresh',
  auth: 'none',
  summary: 'Gives new tokens for the cookie `parley_refresh`, which is replaced',
  description:
    'Needs an own or allowed `Origin`. A refresh token that is used twice, also at the same time, ends its session: let one page or process refresh for all.',
  response: LoginData,
  status: 200,
  setsCookies: true,
  errors: ['UNAUTHORIZED', 'TOKEN_EXPIRED', 'FORBIDDEN', 'RATE_LIMITED'],
});

export const authLogout = endpoint({
  id: 'authLogout',
  method: 'POST',
  path: '/api/auth/logout',
  auth: 'user',
  summary: 'Ends this session, its sockets and its tokens',
  description: 'A token that an application signed has no session here: then this very token and its sockets end.',
  status: 204,
});

export const authLogoutAll = endpoint({
  id: 'authLogoutAll',
  method: 'POST',
  path: '/api/auth/logout-all',
  auth: 'user',
  summary: 'Ends all sessions of the user',
  description:
    'And all its sockets. Tokens that an application signed are refused if their `iat` is not later than this second; of those without `iat`, only the one that came with the request.',
  status: 204,
});

export const authPassword = endpoint({
  id: 'authPassword',
  method: 'POST',
  path: '/api/auth/password',
  auth: 'user',
  summary: 'Changes the password and ends all sessions of the user',
  body: z.object({ currentPassword: KnownPassword, newPassword: Password }),
  status: 204,
  errors: ['FORBIDDEN', 'RATE_LIMITED'],
});

const UserData = z.object({ user: User });

export const meGet = endpoint({
  id: 'meGet',
  method: 'GET',
  path: '/api/me',
  auth: 'user',
  summary: 'Who one is',
  response: UserData,
  status: 200,
});

export const mePatch = endpoint({
  id: 'mePatch',
  method: 'PATCH',
  path: '/api/me',
  auth: 'user',
  summary: 'Changes how others see one',
  body: z
    .object({
      name: DisplayName.exactOptional(),
      avatarUrl: AvatarUrl.exactOptional(),
      statusText: StatusText.exactOptional().describe('Empty removes it.'),
    })
    .prefault({}),
  response: UserData,
  status: 200,
});
