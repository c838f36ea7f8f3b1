import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { writePrivateFile } from './files.ts';
import type { LogFile } from './logs.ts';
import type { Program } from './programs.ts';
import type { ServiceDefinition } from './service.ts';

/** Where and how Redis is to run. */
export interface RedisOptions {
  program: Program;
  dataDir: string;
  port: number;
  password: string;
  log: LogFile;
}

/** The URL of the cluster's Redis, password included. */
export function redisUrl({ port, password }: { port: number; password: string }): string {
  return `redis://:${password}@127.0.0.1:${port}`;
}

/** Redis on 127.0.0.1 only. Its configuration is a file, since everybody on the machine can read a command line. */
export function defineRedis({ program, dataDir, port, password, log }: RedisOptions): ServiceDefinition {
  const folder = join(dataDir, 'redis');
  const file = join(folder, 'redis.conf');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writePrivateFile(
    file,
    [
      'bind 127.0.0.1',
      `port ${port}`,
      `requirepass ${password}`,
      `dir ${JSON.stringify(folder)}`,
      // Nothing is kept on disk: what Redis knows is a hint, and the gateways rebuild it from PostgreSQL and from
      // their own sockets.
      'save ""',
      'appendonly no',
      // A gateway that cannot keep up for a moment must not lose its subscriptions to the default of 32 MB.
      'client-output-buffer-limit pubsub 256mb 128mb 60',
      '',
    ].join('\n'),
  );
  return {
    name: 'redis',
    title: 'Redis',
    log,
    command: { program: program.path, args: [file], env: { PATH: process.env['PATH'] }, cwd: folder },
    isReady: () => answersPing(port, password),
    startTimeoutMs: 15_000,
    stopSteps: [
      { signal: 'SIGTERM', forMs: 5_000 },
      { signal: 'SIGKILL', forMs: 5_000 },
    ],
  };
}

function answersPing(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    const end = (): void => {
      socket.destroy();
      resolve(answer.includes('+PONG'));
    };
    socket.setEncoding('utf8').setTimeout(1_000, end);
    socket.on('error', end).on('close', end);
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (answer.includes('+PONG')) end();
    });
  });
}
