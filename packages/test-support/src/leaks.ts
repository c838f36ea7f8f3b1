import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';
import type { Owner } from './process.ts';

const HANDLES = new Set(['TCPSocketWrap', 'TCPServerWrap', 'PipeWrap', 'PipeServerWrap', 'ProcessWrap', 'TLSWrap']);

/** At the load of this module, before a test file opens anything. */
const AT_START = openHandles();

/**
 * Fails the owner when sockets, servers or processes are still open at its end. Call it after all that registers
 * closing with the same owner, since hooks run in the order of their registration. Without this check such a leak shows
 * as a test file that never ends. What is just closing has `timeoutMs` (default 5 s) to be gone.
 */
export function expectNoLeaks(owner: Owner, timeoutMs = 5_000): void {
  owner.after(async () => {
    await eventually(
      () => {
        assert.deepEqual(openHandles(), AT_START);
      },
      { timeoutMs, message: 'sockets, servers or processes are left open' },
    );
  });
}

function openHandles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => HANDLES.has(name))
    .toSorted();
}
