import { spawn, spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLog } from './logs.ts';
import type { ServerName } from './servers.ts';
import { StartError } from './start-error.ts';

const DEBIAN_SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'install-debian.sh');
const DEBIAN_PACKAGES: Record<ServerName, string> = {
  postgres: 'postgresql',
  redis: 'redis-server',
  haproxy: 'haproxy',
};
const BREW_PACKAGES: Record<ServerName, string> = { postgres: 'postgresql@17', redis: 'redis', haproxy: 'haproxy' };
const TITLES: Record<ServerName, string> = { postgres: 'PostgreSQL', redis: 'Redis', haproxy: 'HAProxy' };

/**
 * Installs servers with the package manager of the system: only the programs, nothing of the system starts to run.
 *
 * @throws StartError that names the command to run, if this process cannot or may not do it
 */
export async function installServers(
  missing: readonly ServerName[],
  dataDir: string,
  say: (line: string) => void,
): Promise<void> {
  const titles = missing.map((name) => TITLES[name]).join(', ');
  const command = chooseCommand(missing, titles);
  say(`Not on this machine yet: ${titles}. Installing with "${command.join(' ')}" (once, a minute or two)`);

  const log = openLog(dataDir, 'install');
  const logged = log.size();
  const output = log.open();
  // Standard input stays the terminal's: sudo may have to ask for the password.
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['inherit', output, output] });
  closeSync(output);
  const code = await new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(-1));
    child.on('exit', resolve);
  });
  if (code === 0) return;
  throw new StartError(
    `Installing ${titles} did not work. The log (${log.path}) ends with:\n\n${log.tail(20, logged)}\n\n` +
      `Install it yourself and try again: ${command.join(' ')}`,
  );
}

function chooseCommand(missing: readonly ServerName[], titles: string): string[] {
  if (isThere('apt-get')) {
    const install = ['sh', DEBIAN_SCRIPT, ...missing.map((name) => DEBIAN_PACKAGES[name])];
    if (process.getuid?.() === 0) return install;
    const maySudo = isThere('sudo') && (process.stdin.isTTY || spawnSync('sudo', ['-n', 'true']).status === 0);
    if (maySudo) return ['sudo', ...install];
    throw new StartError(`${titles} have to be installed first, which needs root: sudo ${install.join(' ')}`);
  }
  const formulas = missing.map((name) => BREW_PACKAGES[name]);
  if (isThere('brew')) return ['brew', 'install', ...formulas];
  throw new StartError(
    `${titles} have to be installed first. This can be done here for Debian and Ubuntu (apt-get) and for macOS ` +
      `(Homebrew: brew install ${formulas.join(' ')}); on this system install them yourself and try again.`,
  );
}

function isThere(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;
}
