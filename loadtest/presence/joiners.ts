/**
 * Many people join one room within ten seconds: what each socket is sent about it, what it costs the gateways, and how
 * long until everybody has the right number. Once with few and once with many, to see how it grows.
 *
 *   node loadtest/presence/joiners.ts [--people 300,3000] [--over 10] [--replicas 3]
 */
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { signToken } from '../measure/token.ts';
import { usageOf } from '../measure/processes.ts';
import { startTarget, type Target } from '../target/target.ts';

/** How long after the last join everybody has to agree, ms. */
const PATIENCE_MS = 120_000;
const CONNECTS_AT_ONCE = 50;
const JOINS_AT_ONCE = 200;

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '300,3000' },
    over: { type: 'string', default: '10' },
    replicas: { type: 'string', default: '3' },
  },
});

/** What one person's socket was sent. */
interface Person {
  socket: WebSocket;
  rosterEvents: number;
  presenceEvents: number;
  bytes: number;
  named: number;
  online: number;
  acks: Map<number, (answer: string) => void>;
}

interface Measured {
  people: number;
  joinSeconds: number;
  agreeSeconds: number;
  gatewayCpuSeconds: number;
  rosterEvents: number;
  presenceEvents: number;
  named: number;
  bytes: number;
}

let asked = 0;

const target = await startTarget({
  kind: 'parley',
  replicas: Number(values.replicas),
  edges: 1,
  env: { PING_INTERVAL_MS: '60000', PING_TIMEOUT_MS: '60000' },
  log: () => {},
});
try {
  const results: Measured[] = [];
  for (const people of values.people.split(',').map(Number)) {
    results.push(await measure(people));
    report(results.at(-1) as Measured);
  }
  const [few, many] = [results[0], results.at(-1)];
  if (few && many && few !== many) compare(few, many);
} finally {
  await target.stop();
}

async function measure(count: number): Promise<Measured> {
  const people: Person[] = [];
  for (let from = 0; from < count; from += CONNECTS_AT_ONCE) {
    const names = Array.from({ length: Math.min(CONNECTS_AT_ONCE, count - from) }, (_, i) => `p${count}-${from + i}`);
    people.push(...(await Promise.all(names.map((name) => connect(target, name)))));
  }
  const [host] = people as [Person];
  const created = await ask(host, 'room:create', { name: `Crowd ${count}` });
  const roomId = /"id":"([0-9a-f-]{36})"/.exec(created)?.[1];
  if (roomId === undefined) throw new Error(created);
  await delay(2_000); // what the connecting was about has been told
  for (const person of people) Object.assign(person, { rosterEvents: 0, presenceEvents: 0, bytes: 0, named: 0 });

  const pids = target.info.gateways.map(({ pid }) => pid);
  const cpuBefore = usageOf(pids).cpuSeconds;
  const startedAt = performance.now();
  const everyMs = (Number(values.over) * 1_000) / count;
  const pending = new Set<Promise<void>>();
  for (const [index, person] of people.slice(1).entries()) {
    const waitMs = startedAt + index * everyMs - performance.now();
    if (waitMs > 1) await delay(waitMs);
    while (pending.size >= JOINS_AT_ONCE) await Promise.race(pending);
    const joined = join(person, roomId).finally(() => pending.delete(joined));
    pending.add(joined);
  }
  await Promise.all(pending);
  const joinedAt = performance.now();
  while (people.some(({ online }) => online !== count)) {
    if (performance.now() - joinedAt > PATIENCE_MS) throw new Error('they do not agree');
    await delay(20);
  }
  const agreedAt = performance.now();
  await delay(2_000);
  const sum = (of: (person: Person) => number): number => people.reduce((total, person) => total + of(person), 0);
  const measured = {
    people: count,
    joinSeconds: (joinedAt - startedAt) / 1_000,
    agreeSeconds: (agreedAt - joinedAt) / 1_000,
    gatewayCpuSeconds: usageOf(pids).cpuSeconds - cpuBefore,
    rosterEvents: sum((person) => person.rosterEvents) / count,
    presenceEvents: sum((person) => person.presenceEvents) / count,
    named: sum((person) => person.named) / count,
    bytes: sum((person) => person.bytes) / count,
  };
  for (const { socket } of people) socket.close();
  await delay(5_000);
  return measured;
}

/** A join that is refused because the room is busy is tried again. */
async function join(person: Person, roomId: string): Promise<void> {
  for (;;) {
    const answer = await ask(person, 'room:join', { roomId, history: 0 });
    if (answer.includes('"ok":true')) {
      person.online = Math.max(person.online, onlineIn(answer));
      return;
    }
    if (!answer.includes('UNAVAILABLE')) throw new Error(answer.slice(0, 300));
    await delay(500);
  }
}

function connect({ urls, jwtSecret }: Target, userId: string): Promise<Person> {
  const url = `${(urls[0] as string).replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const person: Person = {
    socket,
    rosterEvents: 0,
    presenceEvents: 0,
    bytes: 0,
    named: 0,
    online: 0,
    acks: new Map(),
  };
  const { promise, resolve, reject } = Promise.withResolvers<Person>();
  socket.on('error', reject);
  socket.on('message', (data: Buffer) => {
    const packet = data.toString();
    if (packet.startsWith('0')) socket.send(`40${JSON.stringify({ token: signToken(jwtSecret, userId) })}`);
    else if (packet === '2') socket.send('3');
    else if (packet.startsWith('42["session:ready"')) resolve(person);
    else if (packet.startsWith('44')) reject(new Error(packet));
    else if (packet.startsWith('43')) answered(person, packet);
    else if (packet.startsWith('42')) told(person, packet, data.length);
  });
  return promise;
}

function told(person: Person, packet: string, bytes: number): void {
  person.bytes += bytes;
  if (packet.startsWith('42["presence:changed"')) person.presenceEvents += 1;
  if (!packet.startsWith('42["room:user_')) return;
  person.rosterEvents += 1;
  person.named += packet.split('"status":').length - 1;
  person.online = onlineIn(packet);
}

function onlineIn(packet: string): number {
  return Number(/"online":(\d+)/.exec(packet)?.[1] ?? 0);
}

function ask(person: Person, event: string, payload: object): Promise<string> {
  asked += 1;
  const { promise, resolve } = Promise.withResolvers<string>();
  person.acks.set(asked, resolve);
  person.socket.send(`42${asked}${JSON.stringify([event, payload])}`);
  return promise;
}

function answered(person: Person, packet: string): void {
  const number = Number(/^43(\d+)/.exec(packet)?.[1]);
  person.acks.get(number)?.(packet);
  person.acks.delete(number);
}

function report(measured: Measured): void {
  print(`${measured.people} people join one room of ${values.replicas} gateways`);
  print(`  all have joined after            ${measured.joinSeconds.toFixed(1)} s`);
  print(`  all have the right number after  ${measured.agreeSeconds.toFixed(2)} s more`);
  print(
    `  sent to each socket: roster      ${measured.rosterEvents.toFixed(1)} events, ${measured.named.toFixed(0)} names`,
  );
  print(`  sent to each socket: presence    ${measured.presenceEvents.toFixed(1)} events`);
  print(`  sent to each socket: in all      ${measured.bytes.toFixed(0)} bytes`);
  print(`  CPU of all gateways              ${measured.gatewayCpuSeconds.toFixed(1)} s`);
}

/** Linear in total: as many times more CPU as people. Quadratic would be that squared. */
function compare(few: Measured, many: Measured): void {
  const people = many.people / few.people;
  print(`${people.toFixed(1)} times the people:`);
  print(`  CPU of the gateways              ${(many.gatewayCpuSeconds / few.gatewayCpuSeconds).toFixed(1)} times`);
  print(`  bytes a socket                   ${(many.bytes / few.bytes).toFixed(1)} times`);
  print(`  bytes in all                     ${((many.bytes * people) / few.bytes).toFixed(1)} times`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
