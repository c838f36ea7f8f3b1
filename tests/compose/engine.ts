import { execFile } from 'node:child_process';

/** How compose files are run on this machine. */
export interface Engine {
  /** Program and first arguments. Nothing when there is no engine. */
  command: readonly string[];
  /** Why there is none; false when there is one. */
  missing: string | false;
}

const PROBE_TIMEOUT_MS = 60_000;

/**
 * Finds the command of Docker Compose: the words of the variable COMPOSE, by default `docker compose`. `off` says that
 * there is none. The engine behind it has to answer, the command alone is not enough.
 */
export async function findEngine(env: NodeJS.ProcessEnv = process.env): Promise<Engine> {
  const words = env['COMPOSE'] || 'docker compose';
  if (words === 'off') return { command: [], missing: 'COMPOSE=off' };
  const [program = '', ...args] = words.split(/\s+/);
  const problem = await new Promise<string | undefined>((resolve) => {
    execFile(program, [...args, 'ls'], { timeout: PROBE_TIMEOUT_MS }, (error, _stdout, stderr) => {
      if (error === null) resolve(undefined);
      else resolve(stderr.trim().split('\n')[0] || error.message);
    });
  });
  if (problem === undefined) return { command: [program, ...args], missing: false };
  return { command: [], missing: `no container engine: \`${words} ls\` fails (${problem})` };
}
