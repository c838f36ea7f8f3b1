import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { within, type Owner } from '@parley/test-support';
import type { Connection, Heard, Library, LibraryClient, Mode } from './library.ts';

const TRANSPORTS: Record<Mode, string[] | null> = {
  websocket: ['websocket'],
  polling: ['polling'],
  // python-socketio begins with polling and upgrades when it is told nothing.
  upgrade: null,
};

/** Both clients of python-socketio, each in a process of its own. */
export function startPythonLibraries(owner: Owner, python: string): Library[] {
  return [
    libraryOf('python-socketio, asyncio', startProgram(owner, python, 'asyncio_clients.py'), true),
    // It runs every handler in a thread of its own.
    libraryOf('python-socketio, threads', startProgram(owner, python, 'threaded_clients.py'), false),
  ];
}

interface Program {
  /** Performs a command for a client (python/wire.py). */
  perform(client: string, what: string, more?: object): Promise<unknown>;
  /** Gives what this client hears to the list. */
  register(client: string, heard: Heard[]): void;
}

function libraryOf(name: string, program: Program, keepsOrder: boolean): Library {
  let opened = 0;
  return {
    name,
    keepsOrder,
    open({ url, auth, mode }): LibraryClient {
      opened += 1;
      const client = `client ${opened}`;
      const heard: Heard[] = [];
      program.register(client, heard);
      // A failure is heard as connect_error.
      program.perform(client, 'connect', { url, auth, transports: TRANSPORTS[mode] }).catch(() => {});
      return {
        heard,
        request: (event, payload) => program.perform(client, 'request', { event, payload }),
        connection: async () => (await program.perform(client, 'connection')) as Connection,
        close: async () => void (await program.perform(client, 'close')),
      };
    },
  };
}

type Line = { id: number; result?: unknown; error?: string } | ({ client: string } & Heard);

function startProgram(owner: Owner, python: string, script: string): Program {
  const child = spawn(python, ['-u', script], { cwd: join(import.meta.dirname, 'python'), stdio: 'pipe' });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const clients = new Map<string, Heard[]>();
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let sent = 0;
  let ended = false;

  createInterface(child.stdout).on('line', (text) => {
    const line = JSON.parse(text) as Line;
    if ('client' in line) {
      clients.get(line.client)?.push({ event: line.event, payload: line.payload });
      return;
    }
    const answer = waiting.get(line.id);
    waiting.delete(line.id);
    if (line.error === undefined) answer?.resolve(line.result);
    else answer?.reject(new Error(line.error));
  });
  const exited = once(child, 'close').then(() => {
    ended = true;
    for (const answer of waiting.values()) answer.reject(new Error(`${script} has ended:\n${complaints}`));
  });
  child.stdin.on('error', () => {}); // it has ended, which the waiting are told
  owner.after(async () => {
    child.stdin.end();
    await within(exited, `the end of ${script}`, 5_000).catch(() => child.kill('SIGKILL'));
    await exited;
  });

  return {
    perform(client, what, more = {}) {
      const answer = Promise.withResolvers<unknown>();
      sent += 1;
      if (ended) answer.reject(new Error(`${script} has ended:\n${complaints}`));
      waiting.set(sent, answer);
      child.stdin.write(`${JSON.stringify({ id: sent, client, do: what, ...more })}\n`);
      return answer.promise;
    },
    register: (client, heard) => void clients.set(client, heard),
  };
}
