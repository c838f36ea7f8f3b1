import { buildAsyncapi, buildOpenapi, docsAsyncapi, docsOpenapi, docsPage } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { renderDocsPage } from './page.ts';

/** Built once: the documents depend on nothing but the protocol. */
const openapi = buildOpenapi();
const asyncapi = buildAsyncapi();
const page = renderDocsPage();

export const docsRoutes: Route<Context>[] = [
  route(docsOpenapi, async () => openapi),
  route(docsAsyncapi, async () => asyncapi),
  route(docsPage, async ({ reply }) => {
    reply.type('text/html; charset=utf-8').send(page);
  }),
];
