import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, Stage } from '../chaos/stage.ts';
import { waitUntil } from '../chaos/wait.ts';

/** The backends of the gateways. */
const BACKENDS = `select pid from pg_stat_activity where application_name like 'parley %' and pid <> pg_backend_pid()`;

async function restart({ cluster, truth }: Stage, signal: NodeJS.Signals): Promise<void> {
  const { pid } = cluster.info.postgres;
  process.kill(pid, signal);
  await waitUntil(() => cluster.info.postgres.pid !== pid, 60_000);
  await waitUntil(
    () =>
      truth.run('select 1').then(
        () => true,
        () => false,
      ),
    60_000,
  );
}

export const postgresFast: Fault = {
  name: 'postgres-fast',
  about: 'PostgreSQL is shut down "fast" (SIGINT), and a new one is started',
  strike: (stage) => restart(stage, 'SIGINT'),
};

export const postgresImmediate: Fault = {
  name: 'postgres-immediate',
  about: 'PostgreSQL is shut down "immediate" (SIGQUIT), as in a crash, and recovers',
  strike: (stage) => restart(stage, 'SIGQUIT'),
};

export const postgresCut: Fault = {
  name: 'postgres-cut',
  about: 'pg_terminate_backend of all connections of the gateways, five times within 5 s',
  async strike({ truth, pace }) {
    for (let times = 0; times < 5; times += 1) {
      await truth.run(`select pg_terminate_backend(pid) from (${BACKENDS}) as backends`);
      await delay(1_000 * pace);
    }
  },
};

export const postgresSlow: Fault = {
  name: 'postgres-slow',
  about: 'the backends of the gateways stand still (SIGSTOP) for 0.3 to 0.7 s at a time, for 8 s',
  async strike(stage) {
    const until = Date.now() + 8_000 * stage.pace;
    while (Date.now() < until) {
      await freezeBackends(stage, 300 + stage.random.below(400));
      await delay(200);
    }
  },
};

export const postgresFrozen: Fault = {
  name: 'postgres-frozen',
  about: 'the backends of the gateways stand still for 6 s, longer than statements may take',
  strike: (stage) => freezeBackends(stage, 6_000),
};

export const postgresLocked: Fault = {
  name: 'postgres-locked',
  about: "somebody else's transaction holds the row of one room for 12 s",
  async strike({ truth, crowd, random, pace }) {
    await truth.hold('select 1 from rooms where id = $1 for update', [random.pick(crowd.roomIds)], () =>
      delay(12_000 * pace),
    );
  },
};

async function freezeBackends({ truth }: Stage, forMs: number): Promise<void> {
  const pids = (await truth.run<{ pid: number }>(BACKENDS)).map(({ pid }) => pid);
  for (const pid of pids) signal(pid, 'SIGSTOP');
  await delay(forMs);
  for (const pid of pids) signal(pid, 'SIGCONT');
}

/** A backend that has ended meanwhile needs no signal. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
