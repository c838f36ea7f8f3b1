import crypto from 'k6/crypto';
import encoding from 'k6/encoding';

const VALID_FOR_SECONDS = 24 * 60 * 60;

/** Signs a token (JWT, HS256) for a day. The name of the user is its id. */
export function signToken(secret: string, userId: string): string {
  const claims = { sub: userId, name: userId, exp: Math.floor(Date.now() / 1000) + VALID_FOR_SECONDS };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${crypto.hmac('sha256', secret, signed, 'base64rawurl')}`;
}

function encode(part: object): string {
  return encoding.b64encode(JSON.stringify(part), 'rawurl');
}
