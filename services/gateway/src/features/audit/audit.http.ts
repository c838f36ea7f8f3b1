import { roomAuditGet } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { getAudit } from './read.ts';

export const auditRoutes: Route<Context>[] = [
  route(roomAuditGet, ({ ctx, actor, params, query }) => getAudit(ctx, actor, { roomId: params.id, ...query })),
];
