import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { broadcasts, commands, ErrorBody, type Ack } from '@parley/protocol';
import { commandSamples } from '../../packages/protocol/src/input-samples.ts';
import type { RawWebSocket } from '../support/raw-websocket.ts';
import { attacker, startVictim } from './victim.ts';

// Every event of the registry with every kind of bad payload: answered as bad, and the connection lives on.

const victim = await startVictim({ after }, { MAX_FRAME_BYTES: '500000', MAX_CONNECTIONS_PER_USER: 'off' });

const DEEP = 20_000;
const deep = (open: string, close: string) => `${open.repeat(DEEP)}1${close.repeat(DEEP)}`;

/** JSON texts in the place of a whole payload, or of one field. */
const nasty: Record<string, string> = {
  null: 'null',
  true: 'true',
  'a number': '7',
  'a fraction': '1.5',
  'a negative number': '-1',
  'a number beyond all': '1e999',
  'a number too big to be exact': '9007199254740993',
  'an empty string': '""',
  'a string': '"x"',
  'a NUL': '"a\\u0000b"',
  'a lone surrogate': '"\\ud800"',
  'a huge string': `"${'x'.repeat(200_000)}"`,
  'a huge string that NFC works on': `"${'a\u0301\u0323'.repeat(30_000)}"`,
  'an array': '[]',
  'an array of everything': '[null,1,"x",[],{}]',
  'a huge array': `[${'0,'.repeat(100_000)}0]`,
  'an object': '{}',
  'an object with __proto__': '{"__proto__":{"roomId":"x","polluted":true},"constructor":{"prototype":{"x":1}}}',
  'an object that looks like something else': '{"toString":1,"valueOf":2,"length":3,"then":4,"toJSON":5}',
  'a placeholder of binary data': '{"_placeholder":true,"num":0}',
  'deeply nested arrays': deep('[', ']'),
  'deeply nested objects': deep('{"a":', '}'),
};

let lastId = 0;

/** The acknowledgement of an event with a payload of any JSON text; none when the text is undefined. */
async function requestRaw(socket: RawWebSocket, event: string, json: string | undefined): Promise<Ack<unknown>> {
  lastId += 1;
  const head = `43${lastId}[`;
  socket.send(`42${lastId}[${JSON.stringify(event)}${json === undefined ? '' : `,${json}`}]`);
  const answer = await Promise.race([
    socket.packet(head),
    socket.closed.then(() => assert.fail(`${event.slice(0, 50)} ${json?.slice(0, 100)} closed the connection`)),
  ]);
  return (JSON.parse(answer.slice(head.length - 1)) as [Ack<unknown>])[0];
}

/** Refused as bad input where the registry says so; events that are still to come are unknown. */
function isRightAnswer(ack: Ack<unknown>, isGood: boolean, what: string): void {
  if (ack.ok) {
    assert.ok(isGood, `${what} was taken`);
    return;
  }
  const { code } = ErrorBody.parse(ack.error);
  assert.ok(!['INTERNAL', 'UNAVAILABLE', 'PAYLOAD_TOO_LARGE'].includes(code), `${what}: ${JSON.stringify(ack)}`);
  if (!isGood) assert.ok(code === 'VALIDATION_ERROR' || code === 'UNKNOWN_EVENT', `${what}: ${code}`);
}

for (const { name, schema, good, full = good, bad } of commandSamples) {
  describe(name, async () => {
    const socket = await attacker({ after }, victim, `mallory-${name}`);
    const isGood = (json: string | undefined) =>
      schema.safeParse(json === undefined ? undefined : JSON.parse(json)).success;
    const tries = async (json: string | undefined, what: string) => {
      isRightAnswer(await requestRaw(socket, name, json), isGood(json), `${name} with ${what}`);
    };

    test('what the registry calls bad', async () => {
      for (const [payload, path] of bad) {
        const json = JSON.stringify(payload);
        if (json.length < 250_000) await tries(json, `a bad ${path}`);
      }
    });

    test('no payload, or a nasty one', async () => {
      await tries(undefined, 'nothing');
      for (const [what, json] of Object.entries(nasty)) await tries(json, what);
    });

    test('a field missing, or nasty', async () => {
      for (const field of Object.keys(full)) {
        const rest = Object.fromEntries(Object.entries(full).filter(([key]) => key !== field));
        await tries(JSON.stringify(rest), `no ${field}`);
        const opening = JSON.stringify(rest).slice(0, -1);
        for (const [what, json] of Object.entries(nasty)) {
          const comma = opening === '{' ? '' : ',';
          await tries(`${opening}${comma}${JSON.stringify(field)}:${json}}`, `${field}: ${what}`);
        }
      }
    });

    test('without an acknowledgement it is request:error', async () => {
      socket.send(`42[${JSON.stringify(name)},7]`);
      const answer = await socket.packet('42["request:error"');
      const [, error] = JSON.parse(answer.slice(2)) as [string, { event: string; code: string }];
      assert.equal(error.event, name);
      assert.ok(error.code === 'VALIDATION_ERROR' || error.code === 'UNKNOWN_EVENT', error.code);
      socket.close();
    });

    test('nobody else noticed', () => victim.unharmed());
  });
}

test('the samples name every event of the registry', () => {
  assert.deepEqual(commandSamples.map(({ name }) => name).toSorted(), Object.keys(commands).toSorted());
});

test('an event whose name is a number is answered in the contract’s shape', async (t) => {
  const socket = await attacker(t, victim);
  socket.send('42[7,{}]');
  socket.send('4277[7,{}]');
  assert.match(await socket.packet('4377['), /"UNKNOWN_EVENT"/);
  const answer = await socket.packet('42["request:error"');
  const [, error] = JSON.parse(answer.slice(2)) as [string, unknown];
  assert.equal(broadcasts['request:error'].payload.parse(error).code, 'UNKNOWN_EVENT');
});

describe('events that nobody knows', async () => {
  const socket = await attacker({ after }, victim);
  for (const event of ['', 'x', 'x'.repeat(200_000), '__proto__', 'constructor', 'error', 'hasOwnProperty', '\u0000']) {
    test(JSON.stringify(event.slice(0, 20)), async () => {
      for (const json of [undefined, '{}', nasty['deeply nested arrays']]) {
        const ack = await requestRaw(socket, event, json);
        assert.equal(!ack.ok && ack.error.code, 'UNKNOWN_EVENT');
      }
      await victim.unharmed();
    });
  }
});
