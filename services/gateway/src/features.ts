import type { Context } from './context.ts';
import { blockHandlers } from './features/blocks/blocks.socket.ts';
import { directHandlers } from './features/direct/direct.socket.ts';
import { hearingHandlers } from './features/hearing/hearing.socket.ts';
import { memberHandlers } from './features/members/members.socket.ts';
import { messageHandlers } from './features/messages/messages.socket.ts';
import { presenceHandlers } from './features/presence/presence.socket.ts';
import { receiptHandlers } from './features/receipts/receipts.socket.ts';
import { reportHandlers } from './features/reports/reports.socket.ts';
import { roomHandlers } from './features/rooms/rooms.socket.ts';
import { typingHandlers } from './features/typing/typing.socket.ts';
import { adminRoutes } from './features/admin/admin.http.ts';
import { auditRoutes } from './features/audit/audit.http.ts';
import { authRoutes } from './features/auth/auth.http.ts';
import { contentRoutes } from './features/content/content.http.ts';
import { blockRoutes } from './features/blocks/blocks.http.ts';
import { docsRoutes } from './features/docs/docs.http.ts';
import { hearingRoutes } from './features/hearing/hearing.http.ts';
import { memberRoutes } from './features/members/members.http.ts';
import { messageRoutes } from './features/messages/messages.http.ts';
import { receiptRoutes } from './features/receipts/receipts.http.ts';
import { reportRoutes } from './features/reports/reports.http.ts';
import { roomRoutes } from './features/rooms/rooms.http.ts';
import { userRoutes } from './features/users/users.http.ts';
import type { Route } from './platform/http/route.ts';
import type { SocketHandler } from './platform/sockets/handle.ts';

/** What sockets may ask for, by feature. Those of sessions come with the sessions. */
export const featureHandlers: readonly SocketHandler<Context>[] = [
  ...roomHandlers,
  ...hearingHandlers,
  ...messageHandlers,
  ...presenceHandlers,
  ...receiptHandlers,
  ...reportHandlers,
  ...memberHandlers,
  ...directHandlers,
  ...blockHandlers,
  ...typingHandlers,
];

/** What REST serves, by feature. @param auth what logging in stands on */
export function featureRoutes(auth: Parameters<typeof authRoutes>[0]): readonly Route<Context>[] {
  return [
    ...authRoutes(auth),
    ...adminRoutes,
    ...userRoutes,
    ...roomRoutes,
    ...hearingRoutes,
    ...messageRoutes,
    ...receiptRoutes,
    ...reportRoutes,
    ...contentRoutes,
    ...memberRoutes,
    ...auditRoutes,
    ...blockRoutes,
    ...docsRoutes,
  ];
}
