import { z } from 'zod';
import { endpoint } from './define.ts';
import { UserId } from './ids.ts';

export const adminUserBan = endpoint({
  id: 'adminUserBan',
  method: 'POST',
  path: '/api/admin/users/:id/ban',
  auth: 'admin',
  summary: 'Bans a user, or lifts the ban',
  description: 'Ends the sessions of the user with `BANNED` and refuses its tokens until the ban is lifted.',
  params: z.object({ id: UserId }),
  body: z.object({ on: z.boolean() }),
  status: 204,
  errors: ['NOT_FOUND'],
});
