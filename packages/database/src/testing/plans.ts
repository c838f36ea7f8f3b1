import assert from 'node:assert/strict';
import type { PoolClient } from 'pg';

/** Makes PostgreSQL tell this session the plan of every statement that it runs, those inside functions as well. */
export async function tellPlans(client: PoolClient): Promise<void> {
  await client.query(`load 'auto_explain'`);
  for (const [name, value] of Object.entries({
    client_min_messages: 'notice',
    'auto_explain.log_level': 'notice',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_nested_statements': 'on',
  })) {
    await client.query('select set_config($1, $2, false)', [name, value]);
  }
}

/**
 * The plans of all statements inside the functions that `run` calls, after `tellPlans`.
 *
 * @param functions whose own calls are left out
 */
export async function plansInside(
  client: PoolClient,
  functions: readonly string[],
  run: () => Promise<void>,
): Promise<string> {
  const plans: string[] = [];
  const listener = (notice: { message?: string | undefined }) => void plans.push(notice.message ?? '');
  client.on('notice', listener);
  try {
    await run();
  } finally {
    client.off('notice', listener);
  }
  return plans.filter((plan) => !functions.some((name) => plan.includes(`from ${name}(`))).join('\n');
}

/** Nothing is read whole, neither a table nor an index. */
export function assertIndexed(plans: string): void {
  assert.doesNotMatch(plans, /Seq Scan/);
  for (const [scan] of plans.matchAll(/Index (Only )?Scan.*\n.*/g)) assert.match(scan, /\n *Index Cond:/, 'read whole');
}
