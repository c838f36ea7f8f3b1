import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder with the migrations of this code. */
export const MIGRATIONS_FOLDER = join(import.meta.dirname, '..', 'migrations');

const FILE_NAME = /^\d{6}_[a-z0-9_]+\.sql$/;
const BREAKING_HEADER = /^--! breaking\s*$/;
const BREAKING_MARK = ':breaking';

export interface MigrationFile {
  /** `000001_model.sql` */
  file: string;
  /** As the database records it: the file's name without `.sql`, and `:breaking` if it is. */
  name: string;
  sql: string;
}

/** A migration could not be read or applied, or the database is newer than this code may use. `file` says where. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  /** The file's name, or the recorded name of a migration that this code does not have. */
  readonly file: string;

  constructor(file: string, why: string, options?: ErrorOptions) {
    super(`${file}: ${why}`, options);
    this.file = file;
  }
}

/**
 * All migrations of a folder, in their order. Throws MigrationError for a file with another name than
 * `NNNNNN_name.sql` and for a number that is used twice.
 *
 * A file that starts with the line `--! breaking` is one that older code can't live with (it takes a column away, or
 * changes what one means). That goes into the recorded name, so older code sees it without having the file.
 */
export async function readMigrations(folder: string): Promise<MigrationFile[]> {
  const files = (await readdir(folder)).toSorted();
  const numbers = new Map<string, string>();
  for (const file of files) {
    if (!FILE_NAME.test(file)) throw new MigrationError(file, 'is not named NNNNNN_name.sql');
    const number = file.slice(0, 6);
    const other = numbers.get(number);
    if (other !== undefined) throw new MigrationError(file, `has the same number as ${other}`);
    numbers.set(number, file);
  }
  return Promise.all(
    files.map(async (file) => {
      const sql = await readFile(join(folder, file), 'utf8');
      const mark = BREAKING_HEADER.test(sql.split('\n', 1)[0] ?? '') ? BREAKING_MARK : '';
      return { file, name: file.slice(0, -'.sql'.length) + mark, sql };
    }),
  );
}

/** Whether a recorded name is of a breaking migration. */
export function isBreaking(name: string): boolean {
  return name.endsWith(BREAKING_MARK);
}
