import type { ClientToServerEvents, ServerToClientEvents, SessionEndingCode } from '@parley/protocol';
import type { Server, Socket } from 'socket.io';
import type { Identity } from '../identity.ts';

/** What a gateway keeps for a socket, besides what Socket.IO does. */
export interface SocketData {
  identity: Identity;
  /** When its CONNECT came, ms since the epoch. */
  since: number;
  /** The client's address as limits see it. */
  address: string;
  /** The sending socket hears its own messages as events too. */
  echo: boolean;
  /** Requests that are being worked on. */
  inFlight: number;
  /** Was told that its session is over, and may still be fetching that: nothing else is done or told. */
  isEnded: boolean;
  /** Its session ends once the requests under way are answered: no further ones are taken in. */
  isLeaving?: boolean;
  /** Is called once when the session is ended by this side. */
  onEnded?: (socket: ChatSocket, code: SessionEndingCode) => void;
}

type NoEvents = Record<string, never>;
export type ChatServer = Server<ClientToServerEvents, ServerToClientEvents, NoEvents, SocketData>;
export type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents, NoEvents, SocketData>;
