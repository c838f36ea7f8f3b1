import type { Context } from '../../context.ts';
import { ChatError } from '../../platform/errors.ts';
import type { Identity } from '../../platform/identity.ts';
import { createRoom } from './rooms.ts';

/** Makes a public room of a name, unless there is one: somebody was faster, then it is that room. */
export async function makePublicRoom(ctx: Context, actor: Identity, name: string): Promise<void> {
  try {
    await createRoom(ctx, actor, { name, kind: 'public' });
  } catch (error) {
    if (!(error instanceof ChatError && error.code === 'CONFLICT')) throw error;
  }
}
