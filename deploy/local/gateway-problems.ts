import { readFrom } from './logs.ts';
import type { LogFile } from './logs.ts';

const POLL_MS = 500;
const LINES_PER_POLL = 3;
const WARNING = 40;
const LEVELS: Record<string, number> = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };

/**
 * Follows the log of a gateway and says what it warns of, a few lines at most at a time.
 *
 * @returns stops following
 */
export function followProblems(name: string, log: LogFile, say: (line: string) => void): () => void {
  let position = log.size();
  let incomplete = '';
  const timer = setInterval(() => {
    const { text, bytes } = readFrom(log.path, position);
    position += bytes;
    const lines = (incomplete + text).split('\n');
    incomplete = lines.pop() ?? '';
    const problems = lines.map(findProblem).filter((problem) => problem !== undefined);
    for (const problem of problems.slice(0, LINES_PER_POLL)) say(`${name}: ${problem}`);
    const more = problems.length - LINES_PER_POLL;
    if (more > 0) say(`${name}: ${more} more in ${log.path}`);
  }, POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The message of a line of a JSON log if it is a warning or worse. */
export function findProblem(line: string): string | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { level, msg, err } = entry as { level?: unknown; msg?: unknown; err?: { message?: unknown } };
  const severity = typeof level === 'string' ? (LEVELS[level] ?? 0) : Number(level);
  if (!(severity >= WARNING)) return undefined;
  const cause = typeof err?.message === 'string' && err.message !== msg ? ` (${err.message})` : '';
  return `${severity > WARNING ? 'error' : 'warning'}: ${typeof msg === 'string' ? msg : 'without a message'}${cause}`;
}
