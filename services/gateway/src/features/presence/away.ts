import { isStatementTimeout, isTransient, isUnavailable } from '@parley/database';
import { ReplyError } from 'ioredis';

/** A store that is away, or does not answer in time; everything else is a fault of ours. */
export function isAway(error: unknown): boolean {
  if (isUnavailable(error) || isTransient(error) || isStatementTimeout(error)) return true;
  if (!(error instanceof Error)) return false;
  if (error instanceof ReplyError) return /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)/.test(error.message);
  return /connection is closed|timed out|offlinequeue|writeable|ECONN|EPIPE|retries per request/i.test(error.message);
}
