import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const REQUIREMENTS = join(import.meta.dirname, 'python/requirements.txt');
/** Stays between runs; .gitignore knows it. */
const CACHE = join(import.meta.dirname, '.python');
const INSTALL_TIMEOUT_MS = 180_000;

/** A Python that has the packages, or a line that says why there is none. */
export type PythonEnvironment = { python: string } | { missing: string };

/**
 * A virtual environment with the packages of python/requirements.txt, made at the first call and whenever the
 * requirements or the Python change.
 */
export async function preparePython(): Promise<PythonEnvironment> {
  let identity: string;
  try {
    const { stdout } = await run('python3', ['-c', 'import sys; print(sys.version, sys.base_prefix)']);
    identity = stdout;
  } catch {
    return { missing: 'Python 3 is not installed (python3)' };
  }
  const key = createHash('sha256')
    .update(identity)
    .update(await readFile(REQUIREMENTS));
  const folder = join(CACHE, key.digest('hex').slice(0, 16));
  const python = join(folder, 'bin/python');
  if (existsSync(python)) return { python };

  // Made aside and then moved, so that what is in its place is complete, also when two test runs make it at once.
  const aside = `${folder}.${process.pid}`;
  try {
    await mkdir(CACHE, { recursive: true });
    await run('python3', ['-m', 'venv', aside]).catch((error: unknown) => {
      throw new Error(`python3 -m venv does not work here: ${lastLine(error)}`);
    });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS];
    await run(join(aside, 'bin/python'), pip, { timeout: INSTALL_TIMEOUT_MS }).catch((error: unknown) => {
      throw new Error(`pip can't install tests/clients/python/requirements.txt: ${lastLine(error)}`);
    });
    await rename(aside, folder).catch((error: unknown) => {
      if (!existsSync(python)) throw error;
    });
    return { python };
  } catch (error) {
    return { missing: (error as Error).message };
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function lastLine(error: unknown): string {
  const { stderr, stdout, message } = error as { stderr?: string; stdout?: string; message: string };
  const text = stderr?.trim() || stdout?.trim() || message;
  return text.split('\n').at(-1) ?? message;
}
