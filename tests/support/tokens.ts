import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { SECRET } from './environment.ts';

/** What a token is signed with. */
export interface SigningKey {
  alg: string;
  key: CryptoKey | Uint8Array;
  kid?: string;
}

/** A key pair of an application that signs its own tokens. */
export interface Issuer extends SigningKey {
  publicPem: string;
  publicJwk: JWK;
}

export function hmacKey(secret: string, alg = 'HS256'): SigningKey {
  return { alg, key: new TextEncoder().encode(secret) };
}

export async function createIssuer(alg: 'RS256' | 'ES256' | 'EdDSA', kid = `key-${alg}`): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return { alg, key: privateKey, kid, publicPem: await exportSPKI(publicKey), publicJwk };
}

/** In seconds since the epoch, as `exp` counts. */
export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1_000) + seconds;
}

/** A signed token. It lives for an hour; a claim that is given as undefined is left out. Default key: the shared secret. */
export function token(
  sub: string | undefined,
  claims: Record<string, unknown> = {},
  { alg, key, kid }: SigningKey = hmacKey(SECRET),
): Promise<string> {
  const payload = { sub, exp: inSeconds(3_600), ...claims } as JWTPayload;
  return new SignJWT(payload).setProtectedHeader({ alg, typ: 'JWT', ...(kid !== undefined && { kid }) }).sign(key);
}

/** A token as a forger puts it together: any header, any payload, any signature. */
export function forgedToken(header: object, payload: object, signature = ''): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(payload)}.${signature}`;
}
