import { resolve } from 'node:path';
import { StartError } from './start-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What `npm start` reads for itself. The rest of the environment goes to the gateways and to HAProxy. */
export interface Settings {
  /** Address that HAProxy listens on: one of this machine's, or `undefined` for all of them. `PARLEY_HOST`. */
  host: string | undefined;
  /** The public port. `PARLEY_PORT`, default 8080. */
  port: number;
  /** Number of gateways, 1 to 32. `PARLEY_REPLICAS`, default 3. */
  replicas: number;
  /** Absolute path. `PARLEY_DATA_DIR`, default `.parley` in the working directory. */
  dataDir: string;
  /** Whether a process that dies is started again. `PARLEY_RESTART`, default true. */
  restart: boolean;
}

/**
 * Reads the settings.
 *
 * @throws StartError that lists everything that is wrong with them
 */
export function readSettings(env: Environment): Settings {
  const problems: string[] = [];

  const integer = (name: string, byDefault: number, minimum: number, maximum: number): number => {
    const text = env[name] || String(byDefault);
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    problems.push(`${name} is "${text}", but has to be a whole number from ${minimum} to ${maximum}.`);
    return byDefault;
  };
  const flag = (name: string, byDefault: boolean): boolean => {
    const text = env[name] || String(byDefault);
    if (text !== 'true' && text !== 'false') problems.push(`${name} is "${text}", but has to be true or false.`);
    return text === 'true';
  };

  const settings: Settings = {
    host: env['PARLEY_HOST'] || undefined,
    port: integer('PARLEY_PORT', 8080, 1, 65_535),
    replicas: integer('PARLEY_REPLICAS', 3, 1, 32),
    dataDir: resolve(env['PARLEY_DATA_DIR'] || '.parley'),
    restart: flag('PARLEY_RESTART', true),
  };
  if (problems.length > 0) throw new StartError(problems.join('\n'));
  return settings;
}
