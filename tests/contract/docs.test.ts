import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { commands } from '@parley/protocol';
import { gatewayAt, startGateways } from '../support/gateways.ts';
import { call, http } from '../support/http.ts';

// Contract, section 6: GET /docs, /docs/openapi.json, /docs/asyncapi.json, for everybody and outside /api.

const gateway = gatewayAt(await startGateways({ after }, 1), 0);

for (const [id, file] of [
  ['docsOpenapi', 'openapi.json'],
  ['docsAsyncapi', 'asyncapi.json'],
] as const) {
  test(`${file} is the one of the repository`, async () => {
    const answer = await call(gateway, id);
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
    const written = await readFile(join(import.meta.dirname, '../../docs', file), 'utf8');
    assert.deepEqual(answer.json(), JSON.parse(written));
    assert.equal((await http(gateway, `/api/docs/${file}`)).status, 404);
  });
}

test('the page is HTML, and names every event that a client can send', async () => {
  const { status, headers, text } = await call(gateway, 'docsPage');
  assert.equal(status, 200);
  assert.match(headers['content-type'] ?? '', /^text\/html/);
  for (const name of Object.keys(commands)) assert.ok(text.includes(name), name);
});
