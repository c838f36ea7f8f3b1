import { z } from 'zod';
import { broadcast, command } from './define.ts';
import { RoomId } from './ids.ts';
import { UserRef } from './objects.ts';

const input = z.object({ roomId: RoomId });
const payload = z.object({ roomId: z.string(), user: UserRef });

export const typingStart = command('typing:start', {
  summary: 'Shows the others that one is typing, for `TYPING_TIMEOUT_MS`',
  description: 'Over the rate it is answered and not passed on.',
  input,
  output: z.object({}),
});

export const typingStop = command('typing:stop', {
  summary: 'Shows the others that one is no longer typing',
  input,
  output: z.object({}),
});

export const typingStartEvent = broadcast('typing:start', { summary: 'Somebody is typing', payload });

export const typingStopEvent = broadcast('typing:stop', {
  summary: 'Somebody stopped typing, sent, left, or was silent for `TYPING_TIMEOUT_MS`',
  payload,
});
