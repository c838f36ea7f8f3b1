import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ChatError } from '../errors.ts';

/** Headers that a refusal carries besides its body: a pause for who may come back, the body for an allowed origin. */
function headersOf(error: ChatError, request: IncomingMessage): Record<string, string> {
  return {
    'content-type': 'application/json; charset=utf-8',
    ...(error.retryAfterMs !== undefined && { 'retry-after': String(Math.ceil(error.retryAfterMs / 1_000)) }),
    ...(error.code !== 'FORBIDDEN' &&
      request.headers.origin !== undefined && {
        'access-control-allow-origin': request.headers.origin,
        'access-control-allow-credentials': 'true',
        vary: 'Origin',
      }),
  };
}

export function refuseRequest(request: IncomingMessage, response: ServerResponse, error: ChatError): void {
  response.writeHead(error.status, headersOf(error, request)).end(JSON.stringify({ error: error.toBody() }));
}

/** An upgrade request has no response object: the answer is written by hand, and the connection ends with it. */
export function refuseUpgrade(request: IncomingMessage, socket: Duplex, error: ChatError): void {
  const body = JSON.stringify({ error: error.toBody() });
  const headers = {
    ...headersOf(error, request),
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${head.join('')}\r\n${body}`);
}
