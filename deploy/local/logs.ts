import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROTATE_ABOVE_BYTES = 10_000_000;

/** The log file of one process. */
export interface LogFile {
  readonly path: string;
  /** Opens it for appending, as the standard output of a process. The caller closes the descriptor. */
  open(): number;
  /** Its size in bytes, 0 if it is not there. */
  size(): number;
  /** Its last lines, of what was written after the byte `from`. */
  tail(lines: number, from?: number): string;
}

/** Prepares `logs/<name>.log` of a data directory. A file that grew over 10 MB makes place for a new one. */
export function openLog(dataDir: string, name: string): LogFile {
  mkdirSync(join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'logs', `${name}.log`);
  const size = (): number => (existsSync(path) ? statSync(path).size : 0);
  if (size() > ROTATE_ABOVE_BYTES) renameSync(path, `${path}.1`);
  return {
    path,
    size,
    open: () => openSync(path, 'a', 0o600),
    tail(lines, from = 0) {
      const start = Math.max(from, size() - 20_000);
      return readFrom(path, start).text.trimEnd().split('\n').slice(-lines).join('\n');
    },
  };
}

/** Reads at most 1 MB of a file from a byte on; nothing if it is not there. */
export function readFrom(path: string, start: number): { text: string; bytes: number } {
  if (!existsSync(path)) return { text: '', bytes: 0 };
  const file = openSync(path, 'r');
  try {
    const length = Math.min(Math.max(0, fstatSync(file).size - start), 1_000_000);
    const buffer = Buffer.alloc(length);
    const bytes = readSync(file, buffer, 0, length, start);
    return { text: buffer.toString('utf8', 0, bytes), bytes };
  } finally {
    closeSync(file);
  }
}
