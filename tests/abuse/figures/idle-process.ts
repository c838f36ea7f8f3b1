import { monitorEventLoopDelay } from 'node:perf_hooks';

// A process that does nothing: what its event loop is delayed by is the machine, not the load. Asked by any message.

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
process.on('message', () => {
  process.send?.([delay.percentile(50) / 1e6, delay.percentile(99) / 1e6, delay.max / 1e6]);
  delay.reset();
});
