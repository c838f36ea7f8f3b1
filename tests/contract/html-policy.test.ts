import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { connect } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk, callRefused } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// Contract, section 3: `content` is stored as it was written; `HTML_POLICY` can be stricter. Two gateways each.

const NOT_HTML = ['a < b', 'I <3 you', '</3', '1 <2 and 3> 2', '&lt;b&gt;', '>_<'];
const HTML = '<b onclick="x()">bold</b> <script>alert(1)</script>text';

async function openRoom(policy: string | undefined) {
  const gateways = await startGateways({ after }, 2, {
    MAX_MESSAGE_LENGTH: '60',
    ...(policy !== undefined && { HTML_POLICY: policy }),
  });
  const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
  const ana = await connect({ after }, here, 'ana');
  const ben = await connect({ after }, there, 'ben');
  const { room } = await ana.ok('room:create', { name: 'Room' });
  await ben.ok('room:join', { roomId: room.id });
  return { here, there, ana, ben, roomId: room.id, bens: await token('ben') };
}

describe('whatever the policy', async () => {
  for (const policy of [undefined, 'keep', 'strip', 'reject']) {
    test(`what is no HTML stays as it was written: ${policy ?? 'by default'}`, async () => {
      const { ana, ben, roomId } = await openRoom(policy);
      for (const content of NOT_HTML) {
        assert.equal((await ana.send(roomId, content)).content, content);
        await ben.waitFor('message:new', (message) => message.content === content);
      }
    });
  }
});

describe('HTML_POLICY=keep', () => {
  test('is the default: HTML is text like any other', async () => {
    const { ana, ben, roomId } = await openRoom(undefined);
    assert.equal((await ana.send(roomId, HTML)).content, HTML);
    await ben.waitFor('message:new', ({ content }) => content === HTML);
  });
});

describe('HTML_POLICY=strip', async () => {
  const { ana, ben, there, roomId, bens } = await openRoom('strip');

  test('the text is stored, answered and told, over sockets and REST', async () => {
    const mine = await ana.send(roomId, HTML);
    assert.equal(mine.content, 'bold text');
    assert.deepEqual(await ben.waitFor('message:new', ({ id }) => id === mine.id), mine);
    const body = { content: '<i>by REST</i>', clientMsgId: randomUUID() };
    const { message } = await callOk(there, 'roomMessagesPost', { token: bens, params: { id: roomId }, body });
    assert.equal(message.content, 'by REST');
    const { messages } = await ben.ok('message:history', { roomId });
    assert.deepEqual(
      messages.map(({ content }) => content),
      ['bold text', 'by REST'],
    );
  });

  test('an edit goes by the same rule', async () => {
    const { seq } = await ana.send(roomId, 'plain');
    const { message } = await ana.ok('message:edit', { roomId, seq, content: '<p>edited</p>' });
    assert.equal(message.content, 'edited');
    await ben.waitFor('message:updated', ({ content }) => content === 'edited');
    await ana.refused('message:edit', { roomId, seq, content: '<p></p>' }, 'VALIDATION_ERROR');
  });

  test('what is blank without its HTML is VALIDATION_ERROR', async () => {
    for (const content of ['<br>', ' <b> </b> ', '<script>alert(1)</script>', '<!-- hidden -->']) {
      const error = await ana.refused(
        'message:send',
        { roomId, content, clientMsgId: randomUUID() },
        'VALIDATION_ERROR',
      );
      assert.match(JSON.stringify(error.details), /"path":"content"/);
    }
  });

  test('tags that would make tags are gone as well, or refused', async () => {
    assert.equal((await ana.send(roomId, '<scr<b></b>ipt>alert(1)</scr<b></b>ipt>')).content.search(/<\/?[a-z]/i), -1);
    const content = `${'<'.repeat(15)}b${'b>'.repeat(15)}`;
    const nested = await ana.request('message:send', { roomId, content, clientMsgId: randomUUID() });
    assert.ok(!nested.ok && nested.error.code === 'VALIDATION_ERROR', JSON.stringify(nested));
  });

  test('what comes together is composed anew: NFC', async () => {
    assert.equal((await ana.send(roomId, 'Cafe<b></b>\u0301')).content, 'Caf\u00e9');
  });

  test('the length is that of what was written', async () => {
    const clientMsgId = randomUUID();
    const content = `<b>${'x'.repeat(54)}</b>`;
    await ana.refused('message:send', { roomId, content, clientMsgId }, 'MESSAGE_TOO_LONG');
    assert.equal((await ana.send(roomId, content.replace('x', ''))).content, 'x'.repeat(53));
  });

  test('a retry finds the message, and is no other one', async () => {
    const send = { roomId, content: '<b>once</b>', clientMsgId: randomUUID() };
    const first = await ana.ok('message:send', send);
    const again = await ana.ok('message:send', send);
    assert.deepEqual(again, { message: first.message, duplicate: true });
  });
});

describe('HTML_POLICY=reject', async () => {
  const { ana, ben, there, roomId, bens } = await openRoom('reject');

  test('HTML is VALIDATION_ERROR over sockets and REST, in sends and edits, and nothing is stored', async () => {
    const { seq } = await ana.send(roomId, 'first');
    for (const content of [HTML, '<b>', 'x</b>', '<img src=x onerror=alert(1) ', '<!-- x -->', '<svg/onload=x>']) {
      const clientMsgId = randomUUID();
      await ana.refused('message:send', { roomId, content, clientMsgId }, 'VALIDATION_ERROR');
      await ana.refused('message:edit', { roomId, seq, content }, 'VALIDATION_ERROR');
      const body = { content, clientMsgId };
      await callRefused(there, 'roomMessagesPost', 'VALIDATION_ERROR', { token: bens, params: { id: roomId }, body });
    }
    const last = await ana.send(roomId, 'last');
    assert.equal(last.seq, seq + 1);
    await ben.waitFor('message:new', ({ content }) => content === 'last');
    assert.deepEqual(ben.contents(roomId), ['first', 'last']);
    assert.equal(ben.all('message:updated').length, 0);
  });

  test('after a refused edit the stream of changes goes on: no resync', async () => {
    const { seq } = await ana.send(roomId, 'one');
    await ana.refused('message:edit', { roomId, seq, content: '<b>' }, 'VALIDATION_ERROR');
    await ana.ok('message:edit', { roomId, seq, content: 'two' });
    await ben.waitFor('message:updated', ({ content }) => content === 'two');
    assert.equal(ana.all('room:resync').length, 0);
  });
});
