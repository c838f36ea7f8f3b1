import { writeFile } from 'node:fs/promises';
import { buildAsyncapi, buildOpenapi } from '../src/index.ts';

// Writes docs/openapi.json and docs/asyncapi.json. Run it after every change of the contract; a test compares them.

const docs = new URL('../../../docs/', import.meta.url);

await writeFile(new URL('openapi.json', docs), `${JSON.stringify(buildOpenapi(), null, 2)}\n`);
await writeFile(new URL('asyncapi.json', docs), `${JSON.stringify(buildAsyncapi(), null, 2)}\n`);
