import { randomBytes } from 'node:crypto';
import { Client, escapeIdentifier } from 'pg';

export interface TestDatabase {
  url: string;
  /** Ends what is still connected to it, and removes it. */
  drop: () => Promise<void>;
}

/** An own database with the current schema and nothing in it, cloned from the template of the test run. */
export function createDatabase(): Promise<TestDatabase> {
  return create(`template ${escapeIdentifier(required('PARLEY_TEST_TEMPLATE'))}`);
}

/** An own database without any table. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return create('template template0');
}

/** For an own name space of keys and channels in the Redis that all tests share. */
export function redisPrefix(): string {
  return `test-${randomBytes(6).toString('hex')}:`;
}

export function redisUrl(): string {
  return required('PARLEY_TEST_REDIS_URL');
}

/** Of the server's own database, as a user who may do anything. */
export function postgresUrl(): string {
  return required('PARLEY_TEST_POSTGRES_URL');
}

async function create(source: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await execute(`create database ${name} ${source}`);
  const url = new URL(postgresUrl());
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => execute(`drop database if exists ${name} with (force)`),
  };
}

async function execute(statement: string): Promise<void> {
  const client = new Client({ connectionString: postgresUrl() });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set. Run tests through "npm test", which starts the stores: npm test -- <files>`);
  }
  return value;
}
