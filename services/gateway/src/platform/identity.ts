/** Who speaks, as a verified token says. */
export interface Identity {
  readonly user: { readonly id: string; readonly name: string };
  readonly role: 'user' | 'admin';
  /** The login that the token belongs to; absent for tokens that an application signed. */
  readonly sessionId?: string;
  /** What a token that an application signed is known by when it is given back: SHA-256 of what was signed, base64url. */
  readonly tokenId?: string;
  /** When such a token was issued, in ms since the epoch; absent when it does not say. */
  readonly issuedAt?: number;
  /** When the token expires, in ms since the epoch. */
  readonly expiresAt: number;
}

/**
 * Turns a token into an identity.
 *
 * @throws ChatError `UNAUTHORIZED`, `TOKEN_EXPIRED`, or `UNAVAILABLE` when a store that has to be asked is away
 */
export type Authenticate = (token: string) => Promise<Identity>;
