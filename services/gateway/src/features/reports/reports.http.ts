import { roomReportResolve, roomReportsGet } from '@parley/protocol';
import type { Context } from '../../context.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { closeReport, getReports } from './reports.ts';

export const reportRoutes: Route<Context>[] = [
  route(roomReportsGet, ({ ctx, actor, params, query }) => getReports(ctx, actor, { roomId: params.id, ...query })),
  route(roomReportResolve, ({ ctx, actor, params }) =>
    closeReport(ctx, actor, { roomId: params.id, reportId: params.reportId }),
  ),
];
