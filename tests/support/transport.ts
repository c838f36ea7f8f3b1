import type { Owner } from '@parley/test-support';
import { http, type HttpAnswer } from './http.ts';
import { SOCKETS, type Transport } from './packets.ts';
import { HandshakeRefused, RawPolling } from './raw-polling.ts';
import { openWebSocket, UPGRADE, UpgradeRefused } from './raw-websocket.ts';

export const kinds = ['websocket', 'polling'] as const;
export type Kind = (typeof kinds)[number];

type Headers = Record<string, string>;

/** The HTTP answer to an attempt to open a transport: 101 or 200 when it opened, which is closed again. */
export async function handshake(kind: Kind, gateway: { url: string }, headers: Headers = {}): Promise<HttpAnswer> {
  const path = `${SOCKETS}&transport=${kind}`;
  const answer = await http(gateway, path, { headers: { ...(kind === 'websocket' && UPGRADE), ...headers } });
  if (answer.status === 200) {
    await http(gateway, `${path}&sid=${sidOf(answer)}`, { method: 'POST', body: '1', headers });
  }
  return answer;
}

/** The session id that a polling handshake gave out. */
export function sidOf(answer: HttpAnswer): string {
  return (JSON.parse(answer.text.slice(1)) as { sid: string }).sid;
}

/** Opens a transport and leaves the CONNECT to the test. */
export async function openTransport(
  owner: Owner,
  kind: Kind,
  gateway: { url: string },
  headers: Headers = {},
): Promise<Transport> {
  const transport =
    kind === 'websocket' ? await openWebSocket(gateway, { headers }) : await RawPolling.open(gateway, headers);
  owner.after(async () => transport.close());
  return transport;
}

/** The same, but undefined when the gateway answers with that status; for tests that fill a gateway. */
export async function openUnless(
  status: number,
  owner: Owner,
  open: { kind: Kind; gateway: { url: string }; headers?: Headers },
): Promise<Transport | undefined> {
  try {
    return await openTransport(owner, open.kind, open.gateway, open.headers);
  } catch (error) {
    const answered =
      error instanceof UpgradeRefused ? error.status : error instanceof HandshakeRefused ? error.answer.status : 0;
    if (answered !== status) throw error;
    return undefined;
  }
}
