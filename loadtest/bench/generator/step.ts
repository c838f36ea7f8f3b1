import { monitorEventLoopDelay } from 'node:perf_hooks';
import { nowMicros } from './clock.ts';
import { untilQuiet } from './quiet.ts';
import { sendSteadily, type SendOptions } from './send.ts';
import type { StepCounts } from './tally.ts';

export interface StepOptions extends SendOptions {
  /** At the start, without counting times: the cluster has to find its pace. */
  skipSeconds: number;
}

/** Sends at a steady rate, one client after the other, then waits until all has arrived, and checks what did. */
export async function runStep(options: StepOptions): Promise<StepCounts> {
  const { clients, tally } = options;
  tally.reset();
  tally.measureFrom = nowMicros() + options.skipSeconds * 1e6;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const [idleBefore, cpuBefore] = [performance.eventLoopUtilization(), process.cpuUsage()];
  delay.enable();
  tally.isSending = true;
  const seconds = await sendSteadily(options);
  tally.isSending = false;
  delay.disable();
  const { utilization } = performance.eventLoopUtilization(idleBefore);
  const cpu = process.cpuUsage(cpuBefore);

  await untilQuiet(tally, () => {
    const pending = clients.reduce((sum, client) => sum + client.pending, 0);
    return pending === 0 && tally.deliveries - tally.repeats >= tally.expected;
  });
  for (const client of clients) client.settle();
  return {
    ...tally.result(),
    utilization,
    loopDelayMs: Math.max(0, delay.percentile(99) / 1e6 - 1),
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    seconds,
  };
}
