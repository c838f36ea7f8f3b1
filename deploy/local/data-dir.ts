import { accessSync, chmodSync, constants, mkdirSync, readdirSync, statSync } from 'node:fs';
import { StartError } from './start-error.ts';

/**
 * Creates the data directory if need be. Only its owner may look into it; when that is root, others may pass through
 * it, since PostgreSQL, which refuses to be root, has its directory below it.
 *
 * @throws StartError if it cannot be used
 */
export function prepareDataDir(dataDir: string): void {
  try {
    const isNew = mkdirSync(dataDir, { recursive: true }) !== undefined;
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    if (isNew || isFreshAndOwn(dataDir)) chmodSync(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700);
  } catch (error) {
    const reason = (error as Error).message;
    throw new StartError(`The data directory cannot be used: ${reason}. PARLEY_DATA_DIR names another one.`);
  }
}

/** Made for this purpose, as by mktemp. The rights of any other directory are somebody's decision. */
function isFreshAndOwn(dataDir: string): boolean {
  const { uid, mode } = statSync(dataDir);
  return uid === process.getuid?.() && (mode & 0o022) === 0 && readdirSync(dataDir).length === 0;
}
