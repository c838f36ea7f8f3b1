import { chooseFreePorts } from '../../../deploy/local/ports.ts';

/** A port of 127.0.0.1 on which nobody listens, and which nobody else is given while this process lives. */
export async function freePort(): Promise<number> {
  const [port] = await chooseFreePorts(1);
  return port as number;
}
