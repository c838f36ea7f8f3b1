import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Owner } from '@parley/test-support';
import type { Engine } from './engine.ts';

const ROOT = join(import.meta.dirname, '../..');
export const COMPOSE_FILE = join(ROOT, 'docker-compose.yml');

/** A first build fetches images and packages. */
const COMMAND_TIMEOUT_MS = 15 * 60_000;

/** What its .env has. */
type Settings = Record<string, string>;

interface ProjectOptions {
  name: string;
  settings: Settings;
}

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** One container, as `ps` tells of it. */
export interface Container {
  ID: string;
  Service: string;
  State: string;
  Health: string;
  Publishers: { PublishedPort: number }[] | null;
}

/** The project's docker-compose.yml under a name of its own, with nothing of the machine's .env and environment in it. */
export class ComposeProject {
  readonly #compose: readonly string[];
  /** Which project, as options of compose. */
  readonly #options: readonly string[];
  readonly #envFile: string;
  readonly #env: NodeJS.ProcessEnv;
  /** Whether there may be something to take down. */
  #used = false;

  private constructor(engine: Engine, place: { name: string; envFile: string; env: NodeJS.ProcessEnv }) {
    this.#compose = engine.command;
    this.#options = ['-f', COMPOSE_FILE, '-p', place.name, '--env-file', place.envFile];
    this.#envFile = place.envFile;
    this.#env = place.env;
  }

  /**
   * Everything of it is gone at the owner's end: containers, volumes, network and the images that were built for it.
   *
   * @param name tells it from other projects of the engine
   */
  static async open(owner: Owner, engine: Engine, { name, settings }: ProjectOptions): Promise<ComposeProject> {
    const folder = await mkdtemp(join(tmpdir(), 'parley-compose-'));
    const project = new ComposeProject(engine, { name, envFile: join(folder, 'env'), env: await outsideEnvironment() });
    owner.after(async () => {
      if (project.#used) await project.run('down', '--volumes', '--remove-orphans', '--rmi', 'local', '--timeout', '5');
      await rm(folder, { recursive: true });
    });
    await project.configure(settings);
    return project;
  }

  /** Writes its .env anew. */
  async configure(settings: Settings): Promise<void> {
    const lines = Object.entries(settings).map(([key, value]) => `${key}='${value}'\n`);
    await writeFile(this.#envFile, lines.join(''), { mode: 0o600 });
  }

  /** Runs a script of the project on it, to its end. Throws when it fails. */
  async runScript(path: string): Promise<void> {
    const { code, stderr } = await this.#execute([join(ROOT, path), ...this.#options]);
    if (code !== 0) throw new Error(`${path} ended with ${code}:\n${stderr.slice(-4_000)}`);
  }

  /** Runs a compose command to its end, whatever that is. */
  attempt(args: readonly string[]): Promise<Outcome> {
    return this.#execute([...this.#compose, ...this.#options, ...args]);
  }

  /** What a compose command printed. Throws when it fails. */
  async run(...args: string[]): Promise<string> {
    this.#used = true;
    const { code, stdout, stderr } = await this.attempt(args);
    if (code !== 0) throw new Error(`compose ${args.join(' ')} ended with ${code}:\n${stderr.slice(-4_000)}`);
    return stdout;
  }

  /** Brings it up and waits until all is healthy. `scale` gives the number of gateways, else it is the default. */
  async up(scale?: number, ...flags: string[]): Promise<void> {
    await this.run('up', '-d', '--wait', ...flags, ...(scale === undefined ? [] : ['--scale', `gateway=${scale}`]));
  }

  /** What a program printed that was run in the `index`th container of a service, from 1. */
  async exec(service: string, index: number, ...program: string[]): Promise<string> {
    return (await this.run('exec', '-T', `--index=${index}`, service, ...program)).trim();
  }

  /** The containers that exist, of all services or of one. */
  async containers(service?: string): Promise<Container[]> {
    const text = (await this.run('ps', '--all', '--format', 'json')).trim();
    // One array in some versions of Compose, an object a line in others.
    const all = JSON.parse(text.startsWith('[') ? text : `[${text.replaceAll('\n', ',')}]`) as Container[];
    return all.filter((container) => service === undefined || container.Service === service);
  }

  #execute([program = '', ...args]: readonly string[]): Promise<Outcome> {
    return new Promise((resolve) => {
      const options = { cwd: ROOT, env: this.#env, timeout: COMMAND_TIMEOUT_MS, maxBuffer: 50_000_000 };
      execFile(program, args, options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr });
      });
    });
  }
}

/** This process's environment without anything that the compose file or Compose itself would read. */
async function outsideEnvironment(): Promise<NodeJS.ProcessEnv> {
  const text = await readFile(COMPOSE_FILE, 'utf8');
  const read = new Set(text.match(/\b[A-Z][A-Z0-9_]{2,}\b/g));
  for (const name of ['FILE', 'PROJECT_NAME', 'PROFILES', 'ENV_FILES']) read.add(`COMPOSE_${name}`);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !read.has(name)));
}
