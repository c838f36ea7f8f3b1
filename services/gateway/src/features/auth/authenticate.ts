import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Authenticate } from '../../platform/identity.ts';
import { tellRenamed } from '../users/users.ts';
import { findBearer, upsertClaimedUser } from './bearer.sql.ts';
import { endingOf } from './standing.ts';
import type { Tokens } from './tokens.ts';

/**
 * The way from a token to a person: the signature first, then what the database knows. A `sub` that nobody has yet
 * becomes a user here, and a new `name` claim renames one who has no password; a banned user's tokens and those of a
 * session that was ended are refused.
 */
export function authenticateWith(tokens: Tokens, ctx: Context): Authenticate {
  const { db } = ctx;
  return async (token) => {
    const { userId, name: claimedName, ...credential } = await tokens.verify(token);
    const bearer = await findBearer(db, { userId, ...credential });
    if (endingOf(bearer, credential) !== undefined) throw new ChatError('UNAUTHORIZED');
    const isNewName = claimedName !== undefined && claimedName !== bearer?.claimed_name && !bearer?.has_password;
    const user =
      bearer && !isNewName
        ? bearer
        : await upsertClaimedUser(db, { id: userId, name: claimedName ?? userId, claimedName });
    if (bearer && user.name !== bearer.name) tellRenamed(ctx, user);
    return { user: { id: user.id, name: user.name }, ...credential };
  };
}
