import { limits } from '@parley/protocol';

/**
 * Settings under which a cluster is measured: no rates and no bound on transports of one address, since all load comes
 * from one address and a few users stand for many. Everything else is as in production.
 */
export function measuredSettings(): Record<string, string> {
  const rates = Object.keys(limits).filter((name) => name.startsWith('RATE_'));
  return Object.fromEntries([...rates, 'MUTE_AFTER', 'MAX_PENDING_PER_ADDRESS'].map((name) => [name, 'off']));
}
