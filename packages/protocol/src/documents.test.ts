import { Validator } from '@seriousme/openapi-schema-validator';
import asyncapiSpecs from '@asyncapi/specs';
import { Ajv, type AnySchema } from 'ajv';
import addFormats from 'ajv-formats';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { commandSamples } from './input-samples.ts';
import { broadcasts, buildAsyncapi, buildOpenapi, commands, type Endpoint, endpoints } from './index.ts';

/** A document as something to walk through; the leaves are not told apart. */
interface Tree {
  [key: string]: Tree;
}

const treeOf = (document: object) => document as Tree;

const docs = new URL('../../../docs/', import.meta.url);

/** Every `$ref` of a document that points at nothing in it. */
function danglingRefs(document: object): string[] {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref as string);
  return refs.filter((ref) => {
    const steps = ref.replace(/^#\//, '').split('/');
    let at: Tree | undefined = treeOf(document);
    for (const step of steps) at = at?.[step.replaceAll('~1', '/')];
    return at === undefined;
  });
}

describe('openapi.json', () => {
  test('is what the registry gives', async () => {
    const committed = JSON.parse(await readFile(new URL('openapi.json', docs), 'utf8'));
    assert.deepEqual(committed, buildOpenapi(), 'run `pnpm --filter @parley/protocol generate`');
  });

  test('is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(structuredClone(buildOpenapi()));
    assert.equal(result.valid, true, JSON.stringify(result.errors));
  });

  test('refers to nothing that is missing', () => {
    assert.deepEqual(danglingRefs(buildOpenapi()), []);
  });

  test('has every route with its parts, its statuses and its security', () => {
    const { paths = {} } = treeOf(buildOpenapi());
    for (const endpoint of Object.values<Endpoint>(endpoints)) {
      const path = endpoint.path.replaceAll(/:(\w+)/g, '{$1}');
      const operation = paths[path]?.[endpoint.method.toLowerCase()] ?? {};
      assert.equal(operation['operationId'], endpoint.id);
      assert.ok(operation['responses']?.[endpoint.status], `${endpoint.id} ${endpoint.status}`);
      assert.equal('requestBody' in operation, endpoint.body !== undefined);
      assert.equal(Object.keys(operation['security'] ?? {}).length === 0, endpoint.auth === 'none');
      for (const [, name] of path.matchAll(/\{(\w+)\}/g)) {
        const parameter = Object.values(operation['parameters'] ?? {}).find((one) =>
          isDeepStrictEqual(one['name'], name),
        );
        assert.deepEqual([parameter?.['in'], parameter?.['required']], ['path', true]);
      }
    }
  });
});

describe('asyncapi.json', () => {
  test('is what the registry gives', async () => {
    const committed = JSON.parse(await readFile(new URL('asyncapi.json', docs), 'utf8'));
    assert.deepEqual(committed, buildAsyncapi(), 'run `pnpm --filter @parley/protocol generate`');
  });

  test('is valid AsyncAPI 3.0', () => {
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats.default(ajv);
    const validate = ajv.compile(asyncapiSpecs.schemasWithoutId['3.0.0'] as AnySchema);
    assert.equal(validate(buildAsyncapi()), true, JSON.stringify(validate.errors?.slice(0, 5)));
  });

  test('refers to nothing that is missing', () => {
    assert.deepEqual(danglingRefs(buildAsyncapi()), []);
  });

  test('has every event, commands with their acknowledgement', () => {
    const { operations = {}, components = {} } = treeOf(buildAsyncapi());
    const shown = Object.entries(operations).map(([id, { action, reply }]) =>
      JSON.stringify([action, components['messages']?.[id]?.['name'], Object.keys(reply?.['messages'] ?? {}).length]),
    );
    const expected = [
      ...Object.keys(commands).map((name) => JSON.stringify(['receive', name, 1])),
      ...Object.keys(broadcasts).map((name) => JSON.stringify(['send', name, 0])),
    ];
    assert.deepEqual(shown.toSorted(), expected.toSorted());
  });
});

describe('the JSON Schemas agree with what is parsed', () => {
  const { components } = buildAsyncapi();
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'doc', components });

  for (const { name, good, full = good } of commandSamples) {
    test(name, () => {
      const id = name.replaceAll(/:(\w)/g, (_, letter: string) => letter.toUpperCase());
      const validate = ajv.compile({ $ref: `doc#/components/messages/${id}/payload` });
      for (const payload of [good, full, { ...good, unknown: 1 }]) {
        assert.equal(validate(payload), true, JSON.stringify(validate.errors));
      }
      for (const field of Object.keys(good)) {
        const { [field]: _, ...rest } = good;
        assert.equal(validate(rest), false, `without ${field}`);
        assert.equal(validate({ ...good, [field]: null }), false, `${field}: null`);
      }
    });
  }
});
