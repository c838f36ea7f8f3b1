import { adminUserBan } from './admin.ts';
import { roomAuditGet } from './audit.ts';
import * as auth from './auth.ts';
import * as blocks from './blocks.ts';
import { directOpen } from './direct.ts';
import * as hearing from './hearing.ts';
import * as health from './health.ts';
import * as members from './members.ts';
import * as messages from './messages.ts';
import * as presence from './presence.ts';
import * as receipts from './receipts.ts';
import * as reports from './reports.ts';
import * as rooms from './rooms.ts';
import * as session from './session.ts';
import * as typing from './typing.ts';
import { roomWordFilterGet } from './word-filter.ts';

/** Every client-to-server event, by its name. */
export const commands = byName(
  session.sessionRenew,
  rooms.roomCreate,
  rooms.roomList,
  hearing.roomJoin,
  hearing.roomLeave,
  members.roomMembers,
  hearing.roomsSync,
  messages.messageSend,
  messages.messageEdit,
  messages.messageDelete,
  messages.messageReact,
  messages.messageHistory,
  receipts.messageRead,
  receipts.messageReaders,
  typing.typingStart,
  typing.typingStop,
  presence.presenceSet,
  presence.presenceGet,
  directOpen,
  members.memberAdd,
  members.memberRemove,
  members.memberRole,
  members.memberMute,
  members.memberBan,
  reports.messageReport,
  blocks.userBlock,
);

/** Every server-to-client event, by its name. */
export const broadcasts = byName(
  messages.messageNewEvent,
  messages.messageUpdatedEvent,
  receipts.messageReadEvent,
  hearing.roomUserJoinedEvent,
  hearing.roomUserLeftEvent,
  rooms.roomAddedEvent,
  rooms.roomRemovedEvent,
  rooms.roomUpdatedEvent,
  hearing.roomResyncEvent,
  typing.typingStartEvent,
  typing.typingStopEvent,
  presence.presenceChangedEvent,
  session.sessionReadyEvent,
  session.sessionExpiringEvent,
  session.sessionEndedEvent,
  session.requestErrorEvent,
);

/** Every route of the public port, by its id. */
export const endpoints = byId(
  auth.authRegister,
  auth.authLogin,
  auth.authCode,
  auth.authCodeVerify,
  auth.authRefresh,
  auth.authLogout,
  auth.authLogoutAll,
  auth.authPassword,
  auth.meGet,
  auth.mePatch,
  rooms.roomsGet,
  rooms.roomsPost,
  rooms.roomGet,
  rooms.roomPatch,
  hearing.roomJoinPost,
  members.roomLeaveDelete,
  members.roomMembersGet,
  roomAuditGet,
  blocks.userBlockPut,
  blocks.userBlockDelete,
  blocks.blocksGet,
  messages.roomMessagesGet,
  messages.roomMessagesPost,
  receipts.roomReadersGet,
  reports.roomReportsGet,
  reports.roomReportResolve,
  roomWordFilterGet,
  adminUserBan,
  health.healthLive,
  health.healthReady,
  health.docsPage,
  health.docsOpenapi,
  health.docsAsyncapi,
);

export type CommandName = keyof typeof commands;
export type BroadcastName = keyof typeof broadcasts;
export type EndpointId = keyof typeof endpoints;

function byName<const T extends readonly { readonly name: string }[]>(...definitions: T) {
  const named = Object.fromEntries(definitions.map((definition) => [definition.name, definition]));
  return Object.freeze(named) as { readonly [D in T[number] as D['name']]: D };
}

function byId<const T extends readonly { readonly id: string }[]>(...definitions: T) {
  const named = Object.fromEntries(definitions.map((definition) => [definition.id, definition]));
  return Object.freeze(named) as { readonly [D in T[number] as D['id']]: D };
}
