import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { within } from '@parley/test-support';
import { childGateways } from '../support/child-gateways.ts';
import { callOk } from '../support/http.ts';

// What a proxy on another machine needs when all clients come back at once. Linux takes at least 4,096 (somaxconn).
const options = { skip: process.platform !== 'linux' && 'other systems have smaller bounds of their own' };

test(
  'a crowd that comes while a gateway is busy waits at its port instead of being turned away',
  options,
  async (t) => {
    const gateway = await (await childGateways(t)).start();
    gateway.process.kill('SIGSTOP');
    const crowd = Array.from({ length: 1_500 }, () => connect(gateway.port, gateway.host));
    t.after(() => crowd.forEach((socket) => socket.destroy()));
    await within(Promise.all(crowd.map((socket) => once(socket, 'connect'))), 'a place for all');
    gateway.process.kill('SIGCONT');
    await callOk(gateway, 'healthLive');
    assert.ok(crowd.every((socket) => socket.readyState === 'open'));
  },
);
