import { z } from 'zod';
import { endpoint } from './define.ts';

const ok = z.object({ status: z.literal('ok') });

export const healthLive = endpoint({
  id: 'healthLive',
  method: 'GET',
  path: '/health/live',
  auth: 'none',
  summary: 'The process is alive',
  response: ok,
  status: 200,
});

export const healthReady = endpoint({
  id: 'healthReady',
  method: 'GET',
  path: '/health/ready',
  auth: 'none',
  summary: 'This replica takes new connections',
  description: 'Not while it is starting without its stores, and not while it is draining.',
  response: ok,
  status: 200,
  errors: ['UNAVAILABLE'],
});

export const docsPage = endpoint({
  id: 'docsPage',
  method: 'GET',
  path: '/docs',
  auth: 'none',
  summary: 'This interface as a page',
  contentType: 'text/html',
  status: 200,
});

export const docsOpenapi = endpoint({
  id: 'docsOpenapi',
  method: 'GET',
  path: '/docs/openapi.json',
  auth: 'none',
  summary: 'The REST interface as an OpenAPI document',
  response: z.looseObject({}),
  status: 200,
});

export const docsAsyncapi = endpoint({
  id: 'docsAsyncapi',
  method: 'GET',
  path: '/docs/asyncapi.json',
  auth: 'none',
  summary: 'The socket interface as an AsyncAPI document',
  response: z.looseObject({}),
  status: 200,
});
