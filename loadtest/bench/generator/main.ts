/** A process of the generator: does what its parent orders over IPC, one order at a time. */
import { runHerd } from './herd.ts';
import type { Crowd, Order, Report } from './orders.ts';
import { Pool } from './pool.ts';
import { runStep } from './step.ts';
import { Tally } from './tally.ts';

const tally = new Tally();
let crowd: Crowd | undefined;
let pool: Pool | undefined;

process.on('message', (order: Order) => {
  obey(order).then(report, (error: unknown) =>
    report({ error: error instanceof Error ? error.message : String(error) }),
  );
});
// The parent is gone.
process.on('disconnect', () => process.exit());
// Ctrl-C reaches the whole group; the parent decides.
process.on('SIGINT', () => {});

async function obey(order: Order): Promise<Report> {
  if (order.do === 'close') {
    pool?.close();
    return { closed: true };
  }
  if (order.do === 'open') {
    crowd = order.crowd;
    pool = new Pool(crowd, tally);
  }
  if (crowd === undefined || pool === undefined) throw new Error('there are no clients yet');
  if (order.do === 'run') {
    return { step: await runStep({ ...order, clients: pool.clients, tally, bytes: crowd.bytes }) };
  }
  if (order.do === 'herd') {
    return { herd: await runHerd({ ...order, clients: pool.clients, tally, bytes: crowd.bytes }) };
  }
  return { opened: await pool.open(order.pace) };
}

function report(answer: Report): void {
  process.send?.(answer);
}
