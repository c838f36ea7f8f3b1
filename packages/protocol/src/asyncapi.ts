import type { Broadcast, Command } from './define.ts';
import { ackOf, errors } from './errors.ts';
import { collectSchemas, type JsonObject, type SchemaCollection, sortKeys } from './json-schema.ts';
import { broadcasts, commands } from './registry.ts';
import { sessionEndings } from './session-endings.ts';
import { ConnectAuth, ConnectError } from './session.ts';

const CHANNEL = { $ref: '#/channels/socket' };

/** The AsyncAPI 3.0 document of all events, seen from the server: it receives commands and sends broadcasts. */
export function buildAsyncapi(): JsonObject {
  const schemas = collectSchemas('draft-07');
  const messages: JsonObject = {};
  const operations: JsonObject = {};
  for (const command of Object.values<Command>(commands)) addCommand(command, messages, operations, schemas);
  for (const broadcast of Object.values<Broadcast>(broadcasts)) addBroadcast(broadcast, messages, operations, schemas);
  // No event refers to these two; adding them brings them into the components.
  schemas.add(ConnectAuth);
  schemas.add(ConnectError);
  return {
    asyncapi: '3.0.0',
    info: { title: 'Parley', version: '1.0.0', description: describe(), license: { name: 'MIT' } },
    defaultContentType: 'application/json',
    servers: {
      gateway: {
        host: 'localhost:8080',
        pathname: '/socket.io/',
        protocol: 'ws',
        protocolVersion: 'Socket.IO 5, Engine.IO 4',
        description: 'Socket.IO by WebSocket or long-polling.',
        security: [{ $ref: '#/components/securitySchemes/bearer' }, { $ref: '#/components/securitySchemes/cookie' }],
      },
    },
    channels: {
      socket: {
        address: '/',
        title: 'The namespace /',
        messages: Object.fromEntries(
          Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
      },
    },
    operations,
    components: {
      messages,
      schemas: sortKeys(schemas.components),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: '`auth.token` of the CONNECT packet, or `Authorization: Bearer` of the upgrade request.',
        },
        cookie: { type: 'httpApiKey', in: 'cookie', name: 'parley_access' },
      },
    },
    'x-error-codes': errors,
    'x-session-endings': sessionEndings,
  };
}

function addCommand(
  { name, summary, description, input, output }: Command,
  messages: JsonObject,
  operations: JsonObject,
  schemas: SchemaCollection,
): void {
  const id = idOf(name);
  messages[id] = { name, title: name, summary, payload: schemas.add(input) };
  messages[`${id}Ack`] = {
    name: `${name} (acknowledgement)`,
    title: `Acknowledgement of ${name}`,
    payload: schemas.add(ackOf(output)),
  };
  operations[id] = {
    action: 'receive',
    channel: CHANNEL,
    title: name,
    summary,
    ...(description !== undefined && { description }),
    messages: [inChannel(id)],
    reply: { channel: CHANNEL, messages: [inChannel(`${id}Ack`)] },
  };
}

function addBroadcast(
  { name, summary, description, payload }: Broadcast,
  messages: JsonObject,
  operations: JsonObject,
  schemas: SchemaCollection,
): void {
  const id = `${idOf(name)}Event`;
  messages[id] = { name, title: name, summary, payload: schemas.add(payload) };
  operations[id] = {
    action: 'send',
    channel: CHANNEL,
    title: name,
    summary,
    ...(description !== undefined && { description }),
    messages: [inChannel(id)],
  };
}

/** `room:user_joined` becomes `roomUserJoined`: keys of the document can't hold a colon. */
function idOf(event: string): string {
  return event.replaceAll(/[:_](\w)/g, (_, letter: string) => letter.toUpperCase());
}

function inChannel(message: string): JsonObject {
  return { $ref: `#/channels/socket/messages/${message}` };
}

function describe(): string {
  const codes = Object.entries(errors).map(([code, { meaning, retry }]) => `| \`${code}\` | ${meaning} | ${retry} |`);
  const endings = Object.entries(sessionEndings).map(
    ([code, { reconnect, meaning, client }]) => `| \`${code}\` | ${reconnect} | ${meaning} | ${client} |`,
  );
  return `The Socket.IO interface of Parley: every event, seen from the server. The REST interface is in
\`/docs/openapi.json\`.

The token goes into \`auth.token\` of the CONNECT packet (schema \`ConnectAuth\`); a refused CONNECT is answered with
CONNECT_ERROR, whose \`data\` is \`ConnectError\`. Every request takes an acknowledgement, \`{ok: true, data}\` or
\`{ok: false, error}\`; one without it that fails is answered with the event \`request:error\`. Fields that are not
described are ignored on both sides.

## Errors

| code | meaning | retry |
|---|---|---|
${codes.join('\n')}

\`never\`: the same request fails again. \`newToken\`: get a fresh token first. \`after\`: the same request may work after
\`retryAfterMs\` (\`MUTED\`: after \`details.until\`). \`sameRequest\`: send the very same request again, with the same
\`clientMsgId\`; what was stored after all is found.

## How sessions end

The event \`session:ended\` comes first. With \`reconnect\` the transport is then closed without a DISCONNECT packet, so
that clients come back by themselves; without it DISCONNECT is sent, so that they do not.

| code | reconnect | meaning | client |
|---|---|---|---|
${endings.join('\n')}`;
}
