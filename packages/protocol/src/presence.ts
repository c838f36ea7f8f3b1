import { z } from 'zod';
import { broadcast, command } from './define.ts';
import { UserId } from './ids.ts';
import { Presence, User } from './objects.ts';
import { StatusText } from './text.ts';

/** The most users of one `presence:get`. */
export const PRESENCE_USERS_MAX = 200;

export const presenceSet = command('presence:set', {
  summary: 'Sets the status that others see while one is connected',
  input: z.object({
    status: z.enum(['online', 'away', 'dnd']),
    statusText: StatusText.exactOptional().describe('Empty removes it.'),
  }),
  output: z.object({ user: User }),
});

export const presenceGet = command('presence:get', {
  summary: 'Users with their status; those one shares no room with are left out',
  input: z.object({ userIds: z.array(UserId).max(PRESENCE_USERS_MAX) }),
  output: z.object({ users: z.array(User) }),
});

export const presenceChangedEvent = broadcast('presence:changed', {
  summary: 'Users one shares a room with came, went, or changed their status; coalesced',
  payload: z.object({ users: z.array(Presence) }),
});
