import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Program } from './programs.ts';
import { StartError } from './start-error.ts';
import type { SystemUser } from './system-user.ts';

/** Superuser and database of the cluster. */
export const POSTGRES_USER = 'parley';
export const POSTGRES_DATABASE = 'parley';

// Inside PostgreSQL's own directory: the password of a database belongs to it, wherever it is moved.
const PASSWORD_FILE = 'parley-password';

/** What making or opening the database needs. */
export interface PostgresDataOptions {
  dataDir: string;
  program: Program;
  /** Whom PostgreSQL runs as, if not the present user. */
  user: SystemUser | undefined;
  say: (line: string) => void;
}

/** A database on disk. */
export interface PostgresData {
  /** Its real path: the user of PostgreSQL may not be able to follow the link in the data directory. */
  folder: string;
  password: string;
}

/** The major version of the PostgreSQL that made the database of a data directory. `undefined` if there is none. */
export function findDatabaseMajor(dataDir: string): number | undefined {
  const file = join(dataDir, 'postgres', 'PG_VERSION');
  return fs.existsSync(file) ? Number.parseInt(fs.readFileSync(file, 'utf8'), 10) : undefined;
}

/**
 * Makes the database of a data directory, if it has none yet.
 *
 * @throws StartError if another major version of PostgreSQL made it, or it cannot be made
 */
export function preparePostgresData(options: PostgresDataOptions): PostgresData {
  const { dataDir, program } = options;
  const folder = join(dataDir, 'postgres');
  const major = findDatabaseMajor(dataDir);
  if (major === undefined) createDatabase(options, folder);
  else if (major !== program.version[0]) {
    throw new StartError(
      `The database in ${folder} was made by PostgreSQL ${major}, but ${program.path} is ${program.version.join('.')}. ` +
        `Install PostgreSQL ${major} beside it, or move ${dataDir} away to begin with an empty database.`,
    );
  }
  return { folder: fs.realpathSync(folder), password: fs.readFileSync(join(folder, PASSWORD_FILE), 'utf8').trim() };
}

/** Complete or not at all: the database is made beside its place and then moved there. */
function createDatabase(options: PostgresDataOptions, folder: string): void {
  const place = choosePlace(options, folder);
  const unfinished = `${place}.new`;
  fs.rmSync(unfinished, { recursive: true, force: true });
  fs.mkdirSync(unfinished, { mode: 0o700 });
  if (options.user !== undefined) fs.chownSync(unfinished, options.user.uid, options.user.gid);

  const password = randomBytes(24).toString('hex');
  initialise(options, unfinished, password);
  run(
    options,
    [options.program.path, '--single', '-D', unfinished, 'template1'],
    `CREATE DATABASE ${POSTGRES_DATABASE};\n`,
  );
  fs.writeFileSync(join(unfinished, PASSWORD_FILE), `${password}\n`, { mode: 0o600 });

  fs.renameSync(unfinished, place);
  if (place !== folder) fs.symlinkSync(place, folder);
}

/**
 * In the data directory, if the user of PostgreSQL can get there. Root's home, for one, lets nobody through; then it is
 * a directory of its own, and a link in the data directory. It is never deleted here, as the link may have been moved.
 */
function choosePlace({ dataDir, user, say }: PostgresDataOptions, folder: string): string {
  if (user === undefined) return folder;
  const { uid, gid } = user;
  if (spawnSync('test', ['-x', dataDir], { uid, gid, cwd: '/' }).status === 0) return folder;
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const place = join('/var/lib/parley', `${hash}-${randomBytes(3).toString('hex')}`, 'postgres');
  fs.mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
  say(`PostgreSQL cannot run as root, and the user ${user.name} cannot get to ${dataDir}: the database is in ${place}`);
  return place;
}

function initialise(options: PostgresDataOptions, folder: string, password: string): void {
  const { program, user } = options;
  const temporary = fs.mkdtempSync(join(tmpdir(), 'parley-initdb-'));
  const passwordFile = join(temporary, 'password');
  fs.writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) {
    fs.chownSync(temporary, user.uid, user.gid);
    fs.chownSync(passwordFile, user.uid, user.gid);
  }
  // Sorted by bytes, the same everywhere; but upper and lower case as in Unicode, for names that are unique without
  // regard to case.
  const characters = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
  try {
    const flags = ['-U', POSTGRES_USER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--no-instructions'];
    const locale = ['--encoding=UTF8', '--locale=C', `--lc-ctype=${characters}`];
    run(options, [join(dirname(program.path), 'initdb'), '-D', folder, ...flags, ...locale]);
  } finally {
    fs.rmSync(temporary, { recursive: true });
  }
}

function run({ user }: PostgresDataOptions, [program = '', ...args]: string[], input = ''): void {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd: '/',
    input,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  if (status === 0) return;
  const output = `${stdout}${stderr}`.trim().split('\n').slice(-15).join('\n');
  throw new StartError(`The database cannot be made. ${program} says:\n\n${error?.message ?? output}`);
}
