import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { connect } from '../support/client.ts';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { callOk, callRefused } from '../support/http.ts';
import { token } from '../support/tokens.ts';

// An extension of the contract: words that a deployment masks or refuses.

async function openRoom(env: Record<string, string>) {
  const gateways = await startGateways({ after }, 2, env);
  const [here, there] = [gatewayAt(gateways, 0), gatewayAt(gateways, 1)];
  const ana = await connect({ after }, here, 'ana');
  const ben = await connect({ after }, there, 'ben');
  const { room } = await ana.ok('room:create', { name: 'Room' });
  await ben.ok('room:join', { roomId: room.id });
  return { gateways, here, there, ana, ben, roomId: room.id, params: { id: room.id }, bens: await token('ben') };
}

describe('WORD_FILTER=mask', async () => {
  const { ana, ben, there, roomId, params, bens } = await openRoom({
    WORD_FILTER: 'mask',
    WORD_FILTER_WORDS: 'darn, big secret',
    HTML_POLICY: 'strip',
  });

  test('a star for each character, in sends and edits, over sockets and REST', async () => {
    const mine = await ana.send(roomId, 'Darn, a BIG  secret! darned');
    assert.equal(mine.content, '****, a ***********! darned');
    assert.deepEqual(await ben.waitFor('message:new', ({ id }) => id === mine.id), mine);
    const { message } = await ana.ok('message:edit', { roomId, seq: mine.seq, content: 'oh darn' });
    assert.equal(message.content, 'oh ****');
    await ben.waitFor('message:updated', ({ content }) => content === 'oh ****');
    const body = { content: 'darn', clientMsgId: randomUUID() };
    assert.equal((await callOk(there, 'roomMessagesPost', { token: bens, params, body })).message.content, '****');
  });

  test('HTML does not hide a word', async () => {
    assert.equal((await ana.send(roomId, 'da<b></b>rn')).content, '****');
  });
});

describe('WORD_FILTER=reject', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-words-'));
  after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'words.txt');
  await writeFile(file, '# what nobody says\r\nheck\r\n\r\n  Grüß Gott \n');
  const { gateways, ana, ben, there, roomId, params, bens } = await openRoom({
    WORD_FILTER: 'reject',
    WORD_FILTER_WORDS: 'darn',
    WORD_FILTER_FILE: file,
  });

  test('the list and the file together; nothing is stored, and the answer does not say which word', async () => {
    const { seq } = await ana.send(roomId, 'first');
    for (const content of ['DARN', 'what the heck', 'grüss  gott!']) {
      const clientMsgId = randomUUID();
      const error = await ana.refused('message:send', { roomId, content, clientMsgId }, 'VALIDATION_ERROR');
      assert.doesNotMatch(JSON.stringify(error), /darn|heck|gott/i);
      await ana.refused('message:edit', { roomId, seq, content }, 'VALIDATION_ERROR');
      await callRefused(there, 'roomMessagesPost', 'VALIDATION_ERROR', {
        token: bens,
        params,
        body: { content, clientMsgId },
      });
    }
    await ana.send(roomId, 'last # what nobody says');
    await ben.waitFor('message:new', ({ content }) => content.startsWith('last'));
    assert.equal(ben.contents(roomId).length, 2);
  });

  test('a retry of what was stored before a word was on the list is answered as one', async () => {
    const before = await gateways.start({ WORD_FILTER: 'off' });
    const cat = await connect({ after }, before, 'ana');
    const send = { roomId, content: 'heck', clientMsgId: randomUUID() };
    const { message } = await cat.ok('message:send', send);
    assert.deepEqual(await ana.ok('message:send', send), { message, duplicate: true });
  });
});

test('a gateway does not start with a filter that it can not have, and says why', async (t) => {
  const gateways = await startGateways(t, 0, { WORD_FILTER: 'mask' });
  await assert.rejects(gateways.start(), /WORD_FILTER needs WORD_FILTER_WORDS or WORD_FILTER_FILE/);
  await assert.rejects(gateways.start({ WORD_FILTER_FILE: '/nowhere/words.txt' }), /WORD_FILTER_FILE .*ENOENT/s);
});
