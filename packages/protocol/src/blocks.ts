import { z } from 'zod';
import { command, endpoint } from './define.ts';
import { UserId } from './ids.ts';
import { UserRef } from './objects.ts';
import { NextCursor, PageCursor, QueryLimit } from './paging.ts';

// Who does not want direct messages from whom. It concerns direct rooms only: in other rooms there are moderators.

export const userBlock = command('user:block', {
  summary: 'Refuses direct messages of a user, or takes them again',
  description:
    'An extension of the contract. What a blocked user sends into the direct room is `FORBIDDEN`. Nobody can block themselves.',
  input: z.object({ userId: UserId, on: z.boolean() }),
  output: z.object({}),
});

const userParams = z.object({ id: UserId });

export const userBlockPut = endpoint({
  id: 'userBlockPut',
  method: 'PUT',
  path: '/api/users/:id/block',
  auth: 'user',
  summary: 'Refuses direct messages of a user',
  description: 'An extension of the contract.',
  params: userParams,
  status: 204,
  errors: ['NOT_FOUND'],
});

export const userBlockDelete = endpoint({
  id: 'userBlockDelete',
  method: 'DELETE',
  path: '/api/users/:id/block',
  auth: 'user',
  summary: 'Takes direct messages of a user again',
  description: 'An extension of the contract.',
  params: userParams,
  status: 204,
  errors: ['NOT_FOUND'],
});

export const blocksGet = endpoint({
  id: 'blocksGet',
  method: 'GET',
  path: '/api/me/blocks',
  auth: 'user',
  summary: 'Lists whom one blocks',
  description: 'An extension of the contract.',
  query: z.object({ cursor: PageCursor.exactOptional(), limit: QueryLimit }),
  response: z.object({ users: z.array(UserRef), nextCursor: NextCursor }),
  status: 200,
});
