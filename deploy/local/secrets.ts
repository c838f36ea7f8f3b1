import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { findJson, writePrivateFile } from './files.ts';

/** Made once and kept in the data directory, readable by its owner only. */
export interface Secrets {
  /** Signs tokens, unless JWT_SECRET is in the environment. */
  jwtSecret: string;
  /** The stores listen on 127.0.0.1, where everybody on the machine could otherwise read the chat. */
  postgresPassword: string;
  redisPassword: string;
}

/** Loads the secrets of a data directory; makes those that are missing. */
export function loadSecrets(dataDir: string): Secrets {
  const path = join(dataDir, 'secrets.json');
  const kept = (findJson(path) ?? {}) as Partial<Secrets>;
  const secrets: Secrets = {
    jwtSecret: kept.jwtSecret ?? randomSecret(),
    postgresPassword: kept.postgresPassword ?? randomSecret(),
    redisPassword: kept.redisPassword ?? randomSecret(),
  };
  writePrivateFile(path, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}

function randomSecret(): string {
  return randomBytes(32).toString('hex');
}
