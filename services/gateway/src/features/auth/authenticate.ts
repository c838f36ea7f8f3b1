import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import { Gathered } from '../../platform/gathered.ts';
import type { Authenticate, Identity } from '../../platform/identity.ts';
import { tellRenamed } from '../users/users.ts';
import type { UserRow } from '../users/view.ts';
import { findBearers, renameClaimed, type BearerQuestion } from './bearer.sql.ts';
import { endingOf } from './standing.ts';
import type { Claims, Tokens } from './tokens.ts';

/** Who comes with a CONNECT: the user as a moment ago. */
export interface Arrival {
  identity: Identity;
  user: UserRow;
}

export interface Authentication {
  readonly authenticate: Authenticate;
  /** The same for a CONNECT. What presence has to know of the user is read with it. @throws the same */
  readonly arrive: (token: string) => Promise<Arrival>;
  /** The same for who was identified a while ago, at the upgrade. @throws ChatError `UNAUTHORIZED` */
  readonly arriveAs: (identity: Identity) => Promise<Arrival>;
}

/**
 * The way from a token to a person: the signature first, then what the database knows. A `sub` that nobody has yet
 * becomes a user here, and a new `name` claim renames one who has no password; a banned user's tokens and those of a
 * session that was ended are refused.
 */
export function authenticateWith(tokens: Tokens, ctx: Context): Authentication {
  const { db, presence } = ctx;
  const bearers = new Gathered((questions: readonly BearerQuestion[]) => findBearers(db, questions));

  interface Recognised extends Arrival {
    roomIds: string[];
  }

  async function recognise({ userId, name: claimedName, ...credential }: Claims): Promise<Recognised> {
    // A session is one of somebody who has an account: without one it has ended.
    const absent = credential.sessionId === undefined ? { name: claimedName ?? userId, claimedName } : undefined;
    const bearer = await bearers.ask({ userId, ...credential, absent });
    if (!bearer || endingOf(bearer, credential) !== undefined) throw new ChatError('UNAUTHORIZED');
    const isNewName = claimedName !== undefined && claimedName !== bearer.claimed_name && !bearer.has_password;
    const user = isNewName ? await renameClaimed(db, { id: userId, claimedName }) : bearer;
    if (user.name !== bearer.name) tellRenamed(ctx, user);
    return { identity: { user: { id: user.id, name: user.name }, ...credential }, user, roomIds: bearer.room_ids };
  }

  async function arrived(userId: string, find: () => Promise<Recognised>): Promise<Arrival> {
    const expected = presence.expect(userId);
    try {
      const { roomIds, ...arrival } = await find();
      expected.isMemberOf(roomIds);
      return arrival;
    } catch (error) {
      expected.comesNot();
      throw error;
    }
  }

  return {
    authenticate: async (token) => (await recognise(await tokens.verify(token))).identity,
    arrive: async (token) => {
      const claims = await tokens.verify(token);
      return arrived(claims.userId, () => recognise(claims));
    },
    arriveAs: (identity) =>
      arrived(identity.user.id, async () => {
        const bearer = await bearers.ask({ userId: identity.user.id, ...identity });
        if (!bearer || endingOf(bearer, identity) !== undefined) throw new ChatError('UNAUTHORIZED');
        const { id, name, room_ids: roomIds } = bearer;
        return { identity: { ...identity, user: { id, name } }, user: bearer, roomIds };
      }),
  };
}
