// Stands in for a gateway where only HAProxy is tested: tells what arrived, gives out session ids as a gateway does, has
// slow turns when it is told so, and drains on SIGTERM until it is killed.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

const sessions = new Set<string>();
let draining = false;
let posts = 0;

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** From now on each turn of the event loop takes so long. */
function slowDown(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  setImmediate(slowDown, ms);
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://gateway');
  const sid = url.searchParams.get('sid') ?? '';
  request.resume();
  if (url.pathname === '/health/ready') {
    answer(response, draining ? 503 : 200, {});
  } else if (url.pathname === '/cut') {
    // The request has arrived and may have had its effect; the answer is lost.
    posts += 1;
    request.socket.destroy();
  } else if (url.pathname === '/slow') {
    answer(response, 200, {});
    slowDown(Number(url.searchParams.get('ms')));
  } else if (url.pathname === '/socket.io/' && sid === '') {
    const own = `${String(request.headers['x-gateway'])}.${Math.random().toString(36).slice(2)}`;
    sessions.add(own);
    answer(response, 200, { sid: own });
  } else if (url.pathname === '/socket.io/' && !sessions.has(sid)) {
    answer(response, 400, { code: 1, message: 'Session ID unknown' });
  } else {
    answer(response, 200, { name: process.env['NAME'], headers: request.headers, posts });
  }
}

const server = createServer(serve);
server.on('upgrade', (request, socket) => {
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash('sha1').update(key).digest('base64');
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.write([...head, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'));
  socket.on('data', (data) => socket.write(data)).on('error', () => socket.destroy());
});
server.keepAliveTimeout = 70_000;
// As the gateway does, for the health check alone.
createServer(serve).listen(Number(process.env['METRICS_PORT']), '127.0.0.1');
server.listen(Number(process.env['PORT']), '127.0.0.1', () => process.stdout.write('listening\n'));
process.on('SIGTERM', () => {
  draining = true;
});
