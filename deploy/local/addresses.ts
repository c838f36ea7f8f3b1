import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isPortFree } from './ports.ts';
import { StartError } from './start-error.ts';

/** What to listen on: the host that was asked for, else all addresses, of IPv6 too if this machine has it. */
export function listenAddresses(host: string | undefined): string[] {
  if (host === 'localhost') return hasIpv6() ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
  if (host !== undefined) return [host];
  return hasIpv6() ? ['0.0.0.0', '::'] : ['0.0.0.0'];
}

/** @throws StartError if the public port cannot be listened on */
export async function assertPortIsFree(addresses: readonly string[], port: number): Promise<void> {
  for (const address of addresses) {
    if (isIP(address) === 0)
      throw new StartError(`PARLEY_HOST is "${address}", but has to be an address or localhost.`);
    let free: boolean;
    try {
      free = await isPortFree(port, address);
    } catch (error) {
      throw new StartError(
        `Cannot listen on port ${port} of ${address}: ${(error as Error).message}. PARLEY_PORT and PARLEY_HOST choose others.`,
      );
    }
    if (!free) {
      throw new StartError(
        `Port ${port} is taken by another program. Choose a free one, as in: PARLEY_PORT=8090 npm start`,
      );
    }
  }
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces())
    .flat()
    .some((address) => address?.family === 'IPv6');
}
