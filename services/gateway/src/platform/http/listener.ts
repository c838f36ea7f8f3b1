import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Server as Engine } from 'engine.io';
import { ChatError } from '../errors.ts';
import { SOCKET_PATH, upgradeTransport } from '../sockets/server.ts';
import { refuseRequest, refuseUpgrade } from './refuse.ts';

/** Above the proxy's keep-alive, so that it is never the gateway that closes a connection just being reused, ms. */
const KEEP_ALIVE_MS = 75_000;
/** For the head of a request and for a whole one; a long poll has sent its request long before it is answered, ms. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 60_000;

export interface ListenerOptions {
  engine: Engine;
  /** Decides on requests for sockets; undefined lets them pass. */
  admit: (request: IncomingMessage) => Promise<ChatError | undefined>;
  onRefused: (error: ChatError) => void;
}

/** The one HTTP server of a gateway: socket requests go through the gate to engine.io, all others to `rest`. */
export function createListener(rest: RequestListener, { engine, admit, onRefused }: ListenerOptions): Server {
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS },
    (request, response) => {
      if (!isForSockets(request)) {
        rest(request, response);
        return;
      }
      void admit(request).then((refusal) => {
        if (!refusal) {
          engine.handleRequest(request, response);
          return;
        }
        onRefused(refusal);
        refuseRequest(request, response, refusal);
      });
    },
  );
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const ignore = (): void => {};
    socket.on('error', ignore); // a client that goes away while it is being checked is no news
    const admission = isForSockets(request) ? admit(request) : Promise.resolve(new ChatError('NOT_FOUND'));
    void admission.then((refusal) => {
      if (!refusal) {
        socket.off('error', ignore);
        upgradeTransport(engine, request, socket, head);
        return;
      }
      onRefused(refusal);
      refuseUpgrade(request, socket, refusal);
    });
  });
  return server;
}

function isForSockets(request: IncomingMessage): boolean {
  return request.url?.startsWith(SOCKET_PATH) ?? false;
}
