import { createHmac } from 'node:crypto';

const VALID_FOR_SECONDS = 24 * 60 * 60;

/** What the gateways of the cluster expect of a token. */
export interface TokenExpectations {
  secret: string;
  /** JWT_AUDIENCE and JWT_ISSUER, where they are set. */
  audience?: string | undefined;
  issuer?: string | undefined;
}

/** Signs a token (JWT, HS256) of the user `demo`, named Demo, that is valid for 24 hours. */
export function signDemoToken({ secret, audience, issuer }: TokenExpectations, now = Date.now()): string {
  const issuedAt = Math.floor(now / 1000);
  const claims = {
    sub: 'demo',
    name: 'Demo',
    iat: issuedAt,
    exp: issuedAt + VALID_FOR_SECONDS,
    ...(audience ? { aud: audience } : {}),
    ...(issuer ? { iss: issuer } : {}),
  };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
