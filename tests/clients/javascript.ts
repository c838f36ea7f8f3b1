import { io as io3 } from 'socket.io-client-3';
import { io as io4 } from 'socket.io-client';
import { RECONNECT_WITHIN_MS, type Heard, type Library, type LibraryClient, type Mode } from './library.ts';

const TRANSPORTS: Record<Mode, string[]> = {
  websocket: ['websocket'],
  polling: ['polling'],
  upgrade: ['polling', 'websocket'],
};

/** What versions 3 and 4 have in common. */
export interface Socket {
  io: { engine: { id: string; transport: { name: string } } };
  on(event: string, listener: (argument: never) => void): unknown;
  onAny(listener: (event: string, payload: unknown) => void): unknown;
  emit(event: string, payload: unknown, ack: (answer: unknown) => void): unknown;
  close(): unknown;
}

type Io = (url: string, options: Record<string, unknown>) => Socket;

export const javascriptLibraries: readonly Library[] = [
  libraryOf('socket.io-client 4', io4),
  libraryOf('socket.io-client 3', io3),
];

function libraryOf(name: string, io: Io): Library {
  return {
    name,
    keepsOrder: true,
    open({ url, auth, mode }) {
      const socket = io(url, {
        auth,
        transports: TRANSPORTS[mode],
        forceNew: true,
        reconnectionDelay: RECONNECT_WITHIN_MS / 2,
        reconnectionDelayMax: 1_000,
      });
      return clientOf(socket);
    },
  };
}

function clientOf(socket: Socket): LibraryClient {
  const heard: Heard[] = [];
  socket.onAny((event, payload) => heard.push({ event, payload }));
  socket.on('connect', () => heard.push({ event: 'connect', payload: null }));
  socket.on('disconnect', (reason: string) => heard.push({ event: 'disconnect', payload: reason }));
  socket.on('connect_error', (error: Error & { data?: unknown }) => {
    heard.push({ event: 'connect_error', payload: { message: error.message, data: error.data } });
  });
  return {
    heard,
    request: (event, payload) => new Promise((resolve) => socket.emit(event, payload, resolve)),
    connection: async () => ({ transport: socket.io.engine.transport.name, sid: socket.io.engine.id }),
    close: async () => void socket.close(),
  };
}
