import assert from 'node:assert/strict';
import { once } from 'node:events';
import { eventually, type Owner } from '@parley/test-support';

// Engine.IO by hand, without cookies and without a library between the test and the wire.

const SEPARATOR = '\u001E';

/** A long-polling session. Everything throws on an answer other than 200. */
export interface RawSession {
  readonly sid: string;
  /** The replica that the session id names. */
  readonly replica: string;
  /** The packets of the next answer. */
  poll(): Promise<string[]>;
  /** Polls until that many packets have come. @returns the packets of each answer */
  pollUntil(packets: number): Promise<string[][]>;
  post(...packets: string[]): Promise<void>;
  /** Opens the WebSocket and lets the server know that it works; `complete` makes it the transport. */
  probe(owner: Owner): Promise<RawUpgrade>;
}

export interface RawUpgrade {
  /** What came since the answer to the probe. */
  readonly frames: readonly string[];
  readonly closed: Promise<unknown>;
  send(packet: string): void;
  complete(): void;
}

export interface RawSessionOptions {
  /** Default `/socket.io/`. */
  path?: string;
  headers?: Record<string, string>;
}

export async function openRawSession(origin: string, options: RawSessionOptions = {}): Promise<RawSession> {
  const { path = '/socket.io/', headers = {} } = options;
  const [open = ''] = await packetsOf(await fetch(`${origin}${path}?EIO=4&transport=polling`, { headers }));
  const { sid } = JSON.parse(open.slice(1)) as { sid: string };
  const url = pollingUrl(origin, sid, path);
  const poll = async () => packetsOf(await fetch(url));
  return {
    sid,
    replica: sid.split('.')[0] as string,
    poll,
    async pollUntil(packets) {
      const answers: string[][] = [];
      while (answers.flat().length < packets) answers.push(await poll());
      return answers;
    },
    async post(...packets) {
      const answer = await packetsOf(await fetch(url, { method: 'POST', body: packets.join(SEPARATOR) }));
      assert.deepEqual(answer, ['ok']);
    },
    probe: (owner) => probe(owner, url.replace('http:', 'ws:').replace('polling', 'websocket')),
  };
}

export function pollingUrl(origin: string, sid: string, path = '/socket.io/'): string {
  return `${origin}${path}?EIO=4&transport=polling&sid=${sid}`;
}

async function packetsOf(response: Response): Promise<string[]> {
  const body = await response.text();
  if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${body}`);
  return body.split(SEPARATOR);
}

async function probe(owner: Owner, url: string): Promise<RawUpgrade> {
  const socket = new WebSocket(url);
  owner.after(async () => socket.close());
  const frames: string[] = [];
  socket.addEventListener('message', ({ data }: { data: string }) => frames.push(data));
  const closed = once(socket, 'close');
  await once(socket, 'open');
  socket.send('2probe');
  await eventually(() => assert.deepEqual(frames, ['3probe']));
  frames.pop();
  return {
    frames,
    closed,
    send: (packet) => socket.send(packet),
    complete: () => socket.send('5'),
  };
}
