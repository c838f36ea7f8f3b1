/**
 * What a failed query means for the caller. All functions take any thrown value, look at PostgreSQL's SQLSTATE, at
 * Node's error codes and at the driver's own messages (it gives its errors no code), and at the causes of the error.
 */

/** The server or the way to it is away. Whether a commit that was under way happened is not known. */
const UNAVAILABLE_STATES = new Set([
  '57P01', // admin_shutdown: also pg_terminate_backend
  '57P02', // crash_shutdown: another backend crashed, all are restarted
  '57P03', // cannot_connect_now: starting up, shutting down, in recovery
  '57P05', // idle_session_timeout
  '25006', // read_only_sql_transaction: still connected to a server that became a replica
  '25P03', // idle_in_transaction_session_timeout: the server closed the connection
  '53000', // insufficient_resources
  '53100', // disk_full
  '53200', // out_of_memory
  '53300', // too_many_connections
  '58030', // io_error
]);

/** Class 08: connection exceptions. PgBouncer reports all its own troubles as 08P01. */
const CONNECTION_CLASS = /^08[0-9A-Z]{3}$/;

const UNAVAILABLE_SYSTEM_CODES = new Set([
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EMFILE',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENOTCONN',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

/** Messages of pg and pg-pool for a connection that is gone, late or not to be had. */
const UNAVAILABLE_MESSAGES = [
  'Connection terminated', // also "... unexpectedly" and "... due to connection timeout"
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  'Cannot use a pool after calling end on the pool',
  'timeout exceeded when trying to connect', // no free connection in time
  'timeout expired', // connecting took too long
  'Query read timeout', // no answer in time: the server or the network hangs
  'The server does not support SSL connections', // also sent when it is too busy to fork
  'driver has already been destroyed',
];

/** The transaction is rolled back for certain, and the same transaction can succeed when it is run again. */
const TRANSIENT_STATES = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available: lock_timeout
]);

/**
 * Whether a unique index or constraint refused a row.
 * @param constraint only this one, by its name; default: any
 */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return causes(error).some(
    (cause) => cause.code === '23505' && (constraint === undefined || cause.constraint === constraint),
  );
}

/**
 * Whether the database is away, and not the request at fault: to be answered with `UNAVAILABLE`. If the failed
 * statement was a commit (or committed by itself), its effect may be there: only an idempotent act may be repeated.
 */
export function isUnavailable(error: unknown): boolean {
  return causes(error).some(
    (cause) =>
      UNAVAILABLE_STATES.has(cause.code) ||
      CONNECTION_CLASS.test(cause.code) ||
      UNAVAILABLE_SYSTEM_CODES.has(cause.code) ||
      (cause.code === 'ENOENT' && cause.syscall === 'connect') || // no such Unix socket
      UNAVAILABLE_MESSAGES.some((message) => cause.message.startsWith(message)),
  );
}

/** Whether the transaction surely had no effect and may succeed when run again at once. */
export function isTransient(error: unknown): boolean {
  return causes(error).some((cause) => TRANSIENT_STATES.has(cause.code));
}

/** Whether a wait for a lock took longer than it may (55P03). Had no effect, and is transient as well. */
export function isLockTimeout(error: unknown): boolean {
  return causes(error).some((cause) => cause.code === '55P03');
}

/** Whether the server cancelled the statement, as it does after `statementTimeoutMs` (57014). It had no effect. */
export function isStatementTimeout(error: unknown): boolean {
  return causes(error).some((cause) => cause.code === '57014');
}

interface Cause {
  code: string;
  constraint: string;
  syscall: string;
  message: string;
}

/** More than any real chain of causes; also ends one that is a circle. */
const MAX_CAUSES = 20;

/** The error, its causes, and the parts of an AggregateError (a host name with several addresses). */
function causes(error: unknown): Cause[] {
  const found: Cause[] = [];
  const open: unknown[] = [error];
  while (open.length > 0 && found.length < MAX_CAUSES) {
    const next = open.shift();
    if (typeof next !== 'object' || next === null) continue;
    found.push({
      code: textOf(next, 'code'),
      constraint: textOf(next, 'constraint'),
      syscall: textOf(next, 'syscall'),
      message: textOf(next, 'message'),
    });
    if ('cause' in next) open.push(next.cause);
    if (next instanceof AggregateError) open.push(...next.errors);
  }
  return found;
}

function textOf(value: object, key: string): string {
  const field: unknown = Reflect.get(value, key);
  return typeof field === 'string' ? field : '';
}
