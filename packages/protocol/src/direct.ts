import { z } from 'zod';
import { command } from './define.ts';
import { UserId } from './ids.ts';
import { Room } from './objects.ts';

export const directOpen = command('direct:open', {
  summary: 'The direct room with another user, the same for both every time',
  description: 'Oneself is `VALIDATION_ERROR`. Who blocks one is `FORBIDDEN`, unless there is a room already.',
  input: z.object({ userId: UserId }),
  output: z.object({ room: Room }),
});
