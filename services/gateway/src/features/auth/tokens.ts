import { DisplayName, UserId } from '@parley/protocol';
import { createRemoteJWKSet, errors as joseErrors, importSPKI, jwtVerify, SignJWT } from 'jose';
import type { CryptoKey, JWTPayload, JWTVerifyGetKey } from 'jose';
import { createHash, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { ChatError } from '../../platform/errors.ts';

/** The longest token that is looked at, characters; what is longer is no token of anybody's. */
const MAX_TOKEN_LENGTH = 8_192;
/** The last moment that a time of four-digit years can say, ms. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** Our own claim for the login that a token belongs to. Not `sid`, which other issuers use for theirs. */
const SESSION_CLAIM = 'parley_session';
const SessionId = z.uuid();

const ASYMMETRIC = ['RS256', 'ES256', 'EdDSA'] as const;
type Asymmetric = (typeof ASYMMETRIC)[number];

export interface TokenSettings {
  secret: string;
  publicKeyPem?: string | undefined;
  jwksUrl?: string | undefined;
  audience?: string | undefined;
  issuer?: string | undefined;
}

/** What a token says about its bearer. */
export interface Claims {
  userId: string;
  /** Display name, when the token has one that can be shown. */
  name?: string;
  role: 'user' | 'admin';
  sessionId?: string;
  /** Of tokens without a session: SHA-256 of what was signed, base64url. */
  tokenId?: string;
  /** Of tokens without a session that say so, ms since the epoch. */
  issuedAt?: number;
  /** ms since the epoch */
  expiresAt: number;
}

/** What an access token of an account says. */
export interface AccountClaims {
  userId: string;
  name: string;
  role: 'user' | 'admin';
  sessionId: string;
  /** ms since the epoch */
  expiresAt: number;
}

export interface Tokens {
  /** @throws ChatError `UNAUTHORIZED`, `TOKEN_EXPIRED`; `UNAVAILABLE` when the key set can't be fetched */
  verify(token: string): Promise<Claims>;
  /** Signs an access token with the secret. */
  issue(claims: AccountClaims): Promise<string>;
}

/**
 * JSON Web Tokens (RFC 7519). The key is chosen by the algorithm in the header, and an algorithm is accepted only with
 * a key of its own kind: `HS256` with the secret, the asymmetric ones with the public key or the key set. So neither
 * `alg: none` nor an HMAC made with a public key's text can pass (RFC 8725, section 3.1).
 */
export async function createTokens(settings: TokenSettings): Promise<Tokens> {
  // As jose needs it in the end: it would make one of these for every token.
  const secret = await crypto.subtle.importKey(
    'raw',
    Buffer.from(settings.secret, 'utf8'),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign', 'verify'],
  );
  const foreignKey = await foreignKeyOf(settings);
  const keyOf: JWTVerifyGetKey = async (header, token) => {
    if (header.alg === 'HS256') return secret;
    if (!foreignKey) throw new joseErrors.JOSEAlgNotAllowed('no key for this algorithm');
    return foreignKey(header, token);
  };
  const accepted = {
    algorithms: ['HS256', ...(foreignKey ? ASYMMETRIC : [])],
    requiredClaims: ['exp', 'sub'],
    ...(settings.audience !== undefined && { audience: settings.audience }),
    ...(settings.issuer !== undefined && { issuer: settings.issuer }),
  };

  return {
    async verify(token) {
      if (token.length > MAX_TOKEN_LENGTH) throw new ChatError('UNAUTHORIZED');
      try {
        const { payload, protectedHeader } = await jwtVerify(token, keyOf, accepted);
        return claimsOf(token, payload, protectedHeader.alg === 'HS256');
      } catch (error) {
        throw refusalOf(error);
      }
    },
    issue({ userId, name, role, sessionId, expiresAt }) {
      const jwt = new SignJWT({ name, role, [SESSION_CLAIM]: sessionId })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject(userId)
        .setIssuedAt()
        .setExpirationTime(Math.floor(expiresAt / 1_000));
      if (settings.audience !== undefined) jwt.setAudience(settings.audience);
      if (settings.issuer !== undefined) jwt.setIssuer(settings.issuer);
      return jwt.sign(secret);
    },
  };
}

async function foreignKeyOf(settings: TokenSettings): Promise<JWTVerifyGetKey | undefined> {
  if (settings.jwksUrl !== undefined) return createRemoteJWKSet(new URL(settings.jwksUrl));
  if (settings.publicKeyPem === undefined) return undefined;
  const { key, algorithm } = await importPublicKey(settings.publicKeyPem);
  return (header) => {
    if (header.alg !== algorithm) throw new joseErrors.JOSEAlgNotAllowed('the key is of another kind');
    return key;
  };
}

/** @throws Error when the text is no public key for RS256, ES256 or EdDSA */
export async function importPublicKey(pem: string): Promise<{ key: CryptoKey | KeyObject; algorithm: Asymmetric }> {
  for (const algorithm of ASYMMETRIC) {
    try {
      return { key: await importSPKI(pem, algorithm), algorithm };
    } catch {
      // A key of another kind; the next algorithm may fit.
    }
  }
  throw new Error('JWT_PUBLIC_KEY is no PEM public key for RS256, ES256 or EdDSA');
}

function claimsOf(token: string, payload: JWTPayload, isOurs: boolean): Claims {
  const userId = UserId.safeParse(payload.sub);
  if (!userId.success || payload.exp === undefined) throw new ChatError('UNAUTHORIZED');
  const name = DisplayName.safeParse(payload['name']);
  const session = isOurs ? payload[SESSION_CLAIM] : undefined;
  const sessionId = SessionId.safeParse(session);
  if (session !== undefined && !sessionId.success) throw new ChatError('UNAUTHORIZED');
  const belongsTo = sessionId.success ? { sessionId: sessionId.data } : identityOf(token, payload.iat);
  return {
    userId: userId.data,
    ...(name.success && { name: name.data }),
    role: payload['role'] === 'admin' ? 'admin' : 'user',
    ...belongsTo,
    expiresAt: Math.min(payload.exp * 1_000, LATEST_MS),
  };
}

/**
 * What a token without a session is recognised by. Not by its whole text: base64url, and ECDSA as well, have several
 * spellings of one signature, and a token that was given back would come again under another one.
 */
function identityOf(token: string, iat: number | undefined): { tokenId: string; issuedAt?: number } {
  const signed = token.slice(0, token.lastIndexOf('.'));
  const tokenId = createHash('sha256').update(signed).digest('base64url');
  return { tokenId, ...(iat !== undefined && { issuedAt: iat * 1_000 }) };
}

function refusalOf(error: unknown): ChatError {
  if (error instanceof ChatError) return error;
  if (error instanceof joseErrors.JWTExpired) return new ChatError('TOKEN_EXPIRED', { cause: error });
  const isJwksAway =
    error instanceof joseErrors.JWKSTimeout ||
    (error instanceof joseErrors.JOSEError && error.code === 'ERR_JOSE_GENERIC') ||
    (error instanceof TypeError && error.message === 'fetch failed');
  if (isJwksAway) return new ChatError('UNAVAILABLE', { retryAfterMs: 1_000, cause: error });
  return new ChatError('UNAUTHORIZED', { cause: error });
}
