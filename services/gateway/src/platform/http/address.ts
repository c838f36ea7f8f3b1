import proxyAddr from '@fastify/proxy-addr';
import type { IncomingMessage } from 'node:http';

export type ClientAddressOf = (request: IncomingMessage) => string;
export type IsTrustedProxy = (address: string, hop: number) => boolean;

/**
 * Whether an address is one of our proxies.
 *
 * @param trusted addresses, CIDR ranges, or the names `loopback`, `linklocal`, `uniquelocal`; nobody when empty
 */
export function trustedProxies(trusted: readonly string[]): IsTrustedProxy {
  return trusted.length === 0 ? () => false : proxyAddr.compile([...trusted]);
}

/**
 * The address that limits and logs go by: the nearest one in `X-Forwarded-For` that is not a proxy of ours, or the
 * peer itself. What a client writes into that header is believed only when it comes through a trusted proxy.
 */
export function clientAddressOf(isTrusted: IsTrustedProxy): ClientAddressOf {
  return (request) => normalise(proxyAddr(request, isTrusted));
}

/** IPv4 peers of a dual-stack listener show up as `::ffff:127.0.0.1`. */
function normalise(address: string | undefined): string {
  return (address ?? 'unknown').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '');
}

/** `https` when the client's side of a trusted proxy is TLS, for the own-origin rule and the cookies. */
export function schemeOf(request: IncomingMessage, isTrusted: IsTrustedProxy): 'http' | 'https' {
  const forwarded = request.headers['x-forwarded-proto'];
  const peer = request.socket.remoteAddress;
  if (typeof forwarded === 'string' && peer !== undefined && isTrusted(peer, 0)) {
    return forwarded.split(',')[0]?.trim() === 'https' ? 'https' : 'http';
  }
  return 'encrypted' in request.socket ? 'https' : 'http';
}
