import { readdirSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

/** What a process, or several together, have used. */
export interface Usage {
  /** Of all threads since the start, and of children that have ended. */
  cpuSeconds: number;
  /** Resident memory. Pages that processes share count in each. */
  rssBytes: number;
}

let ticksPerSecond: number | undefined;

/**
 * Reads what some processes use from /proc (Linux); those that are gone count nothing.
 *
 * @throws where there is no /proc
 */
export function usageOf(pids: Iterable<number>): Usage {
  const sum: Usage = { cpuSeconds: 0, rssBytes: 0 };
  for (const pid of pids) {
    const stat = readStat(pid);
    if (stat === undefined) continue;
    sum.cpuSeconds += stat.cpuTicks / ticks();
    sum.rssBytes += rssOf(pid);
  }
  return sum;
}

/** A process and all that descend from it, as the backends of PostgreSQL from its first process. */
export function familyOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat !== undefined) children.set(stat.parent, [...(children.get(stat.parent) ?? []), Number(name)]);
  }
  const family = [pid];
  for (const member of family) family.push(...(children.get(member) ?? []));
  return family;
}

/** Seconds in which the processors of this machine were busy since it started, whoever kept them so. */
export function machineCpuSeconds(): number {
  const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').trim().split(/\s+/);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields.map(Number);
  return (user + nice + system + irq + softirq + steal) / ticks();
}

/** The fields of /proc/<pid>/stat that count here. The program's name, in brackets, may hold anything. */
export function parseStat(text: string): { parent: number; cpuTicks: number } {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticksOf = (from: number): number => Number(fields[from]) + Number(fields[from + 1]);
  return { parent: Number(fields[1]), cpuTicks: ticksOf(11) + ticksOf(13) };
}

function readStat(pid: number): ReturnType<typeof parseStat> | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function rssOf(pid: number): number {
  try {
    const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function ticks(): number {
  ticksPerSecond ??= Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;
  return ticksPerSecond;
}
