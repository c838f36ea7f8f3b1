import type { IncomingMessage } from 'node:http';
import { schemeOf, type IsTrustedProxy } from './address.ts';

export type IsAllowedOrigin = (request: IncomingMessage) => boolean;

/**
 * The origin rule (contract, section 1): a request without `Origin` is no browser's cross-site request; one with it has
 * to come from our own origin (scheme and `Host`) or from a listed one. Guards sockets against cross-site hijacking and
 * cookie requests against forgery.
 *
 * @param allowed origins such as `https://example.org`; `*` allows all
 */
export function originRule(allowed: readonly string[], isTrusted: IsTrustedProxy): IsAllowedOrigin {
  const all = allowed.includes('*');
  const listed = new Set(allowed.map((origin) => origin.toLowerCase().replace(/\/$/, '')));
  return (request) => {
    const origin = request.headers.origin?.toLowerCase();
    if (all || origin === undefined) return true;
    return listed.has(origin) || origin === `${schemeOf(request, isTrusted)}://${request.headers.host?.toLowerCase()}`;
  };
}
