import { z } from 'zod';

/** A part of a JSON document. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface SchemaCollection {
  /** The JSON Schema of what a client sends or gets; named objects are references into `components`. */
  add(schema: z.ZodType): JsonObject;
  /** The named objects that were met so far, by name, for `components.schemas`. */
  readonly components: JsonObject;
}

/** Turns zod schemas into JSON Schemas of one document. */
export function collectSchemas(target: 'draft-07' | 'draft-2020-12'): SchemaCollection {
  const components: JsonObject = {};
  return {
    components,
    add(schema) {
      // The input side of every schema: what is sent before defaults are filled in. It also leaves objects open, which
      // is what the contract says of unknown fields.
      const { $schema: _, ...generated } = z.toJSONSchema(schema, { target, io: 'input', override: simplify });
      const { $defs, definitions, ...root } = pointToComponents(generated as JsonObject);
      Object.assign(components, $defs, definitions);
      return root;
    },
  };
}

interface Overridden {
  jsonSchema: { type?: unknown; format?: unknown; pattern?: unknown; maximum?: unknown };
}

function simplify({ jsonSchema }: Overridden): void {
  // The calendar as a regular expression says no more than the format does.
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  if (jsonSchema.type === 'integer' && jsonSchema.maximum === Number.MAX_SAFE_INTEGER) {
    delete jsonSchema.maximum;
    jsonSchema.format = 'int64';
  }
}

function pointToComponents<T extends Json>(value: T): T {
  if (Array.isArray(value)) return value.map(pointToComponents) as T;
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, part]) => [
    key,
    key === '$ref' && typeof part === 'string'
      ? part.replace(/^#\/(?:\$defs|definitions)\//, '#/components/schemas/')
      : pointToComponents(part),
  ]);
  return Object.fromEntries(entries) as T;
}

/** The same object with its keys in alphabetical order, so that a document does not depend on the order of use. */
export function sortKeys(object: JsonObject): JsonObject {
  const names = Object.keys(object).toSorted();
  return Object.fromEntries(names.map((name) => [name, object[name] as Json]));
}
