// The packages of the workspace, installed by the pnpm that package.json pins.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exclusively, npmCommand, runStep } from './tools.mjs';

/**
 * Installs the packages if the lock file or a package.json changed since the last time, or if they are gone.
 * @param {string} root the checkout
 * @param {string} runtime the Node binary to install with
 */
export async function ensurePackages(root, runtime) {
  if (isCurrent(root)) return;
  await exclusively(root, async () => {
    if (isCurrent(root)) return;
    const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    // pmOnFail: this is the pinned pnpm already, it need not look itself up in the registry and the lock file.
    const flags = ['--frozen-lockfile', '--config.pmOnFail=ignore', '--config.confirmModulesPurge=false'];
    await runStep({
      doing: 'Installing the packages of the workspace',
      command: [...npmCommand(runtime), 'exec', '--yes', '--', packageManager, 'install', ...flags],
      cwd: root,
      advice:
        'Check the connection to the npm registry and try again. If you changed a package.json, update the lock file: ' +
        `npx ${packageManager} install`,
    });
    writeFileSync(stampFile(root), fingerprint(root));
  });
}

function stampFile(root) {
  return join(root, 'node_modules', '.installed-for');
}

function isCurrent(root) {
  const complete = workspaceFolders(root).every((folder) => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const needsAny = Object.keys({ ...dependencies, ...devDependencies }).length > 0;
    return !needsAny || existsSync(join(folder, 'node_modules'));
  });
  if (!complete || !existsSync(stampFile(root))) return false;
  return readFileSync(stampFile(root), 'utf8') === fingerprint(root);
}

function fingerprint(root) {
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml'].map((name) => join(root, name));
  for (const folder of workspaceFolders(root)) files.push(join(folder, 'package.json'));
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(file));
  return hash.digest('hex');
}

/** The root and the folders that pnpm-workspace.yaml lists, as `name` or as `name/*`. */
function workspaceFolders(root) {
  const listed = [];
  let inPackages = false;
  for (const line of readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8').split('\n')) {
    if (/^\S/.test(line)) inPackages = line.startsWith('packages:');
    const entry = /^\s+-\s+['"]?([^'"\s]+)/.exec(line);
    if (inPackages && entry !== null) listed.push(entry[1]);
  }
  const folders = listed.flatMap((pattern) => {
    if (!pattern.endsWith('/*')) return [join(root, pattern)];
    const parent = join(root, pattern.slice(0, -2));
    if (!existsSync(parent)) return [];
    return readdirSync(parent)
      .sort()
      .map((name) => join(parent, name));
  });
  return [root, ...folders.filter((folder) => existsSync(join(folder, 'package.json')))];
}
