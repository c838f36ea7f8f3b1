import { createHmac } from 'node:crypto';

const VALID_FOR_SECONDS = 24 * 60 * 60;

/** Signs a token (JWT, HS256) for a day. The name of the user is its id. */
export function signToken(secret: string, userId: string): string {
  const claims = { sub: userId, name: userId, exp: Math.floor(Date.now() / 1000) + VALID_FOR_SECONDS };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
