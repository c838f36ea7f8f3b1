import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../chaos/stage.ts';

export const slowReaders: Fault = {
  name: 'slow-readers',
  about: 'the clients behind the bad line read only now and then, for 10 s',
  async strike({ cluster, pace }) {
    const until = Date.now() + 10_000 * pace;
    while (Date.now() < until) {
      const links = [...cluster.clientProxy.links];
      for (const link of links) link.stopReading();
      await delay(1_500);
      for (const link of links) link.resume();
      await delay(100);
    }
  },
};

export const stoppedReaders: Fault = {
  name: 'stopped-readers',
  about: 'the clients behind the bad line stop reading for 15 s',
  async strike({ cluster, pace }) {
    const links = [...cluster.clientProxy.links];
    for (const link of links) link.hold();
    await delay(15_000 * pace);
    for (const link of links) link.resume();
  },
};

export const vanishingClients: Fault = {
  name: 'vanishing-clients',
  about: 'the lines of some clients swallow everything: neither side is told',
  async strike({ cluster, pace }) {
    for (const link of cluster.clientProxy.links) link.swallow();
    await delay(12_000 * pace);
  },
};

export const flappingClients: Fault = {
  name: 'flapping-clients',
  about: 'clients drop their transport and come back, many times within 8 s',
  async strike({ crowd, random, pace }) {
    const until = Date.now() + 8_000 * pace;
    while (Date.now() < until) {
      random.pick(crowd.clients).dropTransport();
      await delay(40);
    }
  },
};

export const resetClients: Fault = {
  name: 'reset-clients',
  about: 'the lines of some clients are reset (RST), three times',
  async strike({ cluster, pace }) {
    for (let times = 0; times < 3; times += 1) {
      for (const link of cluster.clientProxy.links) link.reset();
      await delay(2_000 * pace);
    }
  },
};
