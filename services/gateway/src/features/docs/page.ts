import { broadcasts, commands, endpoints, errors, sessionEndings } from '@parley/protocol';

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`).replace(/`([^`]*)`/g, '<code>$1</code>');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const headCells = head.map((cell) => `<th>${escape(cell)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`).join('\n');
  return `<table><thead><tr>${headCells}</tr></thead><tbody>\n${body}\n</tbody></table>`;
}

/** The whole interface on one page without scripts, from the registry; the two documents have every shape. */
export function renderDocsPage(): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Parley: the interface</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff }
  table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; font-size: .95rem }
  th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #d8dde3 }
  code { font-family: ui-monospace, monospace }
  td:first-child { font-family: ui-monospace, monospace; white-space: nowrap }
  @media (prefers-color-scheme: dark) { body { color: #e6e9ed; background: #16191d } th, td { border-color: #343a41 } a { color: #8ab4f8 } }
</style>
<h1>Parley: the interface</h1>
<p>Every shape, machine-readable: <a href="/docs/openapi.json">OpenAPI 3.1</a> for REST, <a href="/docs/asyncapi.json">AsyncAPI 3.0</a> for the sockets.</p>
<h2>Client to server</h2>
${table(
  ['event', 'does'],
  Object.values(commands).map((command) => [command.name, command.summary]),
)}
<h2>Server to client</h2>
${table(
  ['event', 'says'],
  Object.values(broadcasts).map((broadcast) => [broadcast.name, broadcast.summary]),
)}
<h2>REST</h2>
${table(
  ['route', 'does', 'for'],
  Object.values(endpoints).map(({ method, path, summary, auth }) => [
    `${method} ${path}`,
    summary,
    { none: 'everybody', user: 'users', admin: 'operators' }[auth],
  ]),
)}
<h2>Error codes</h2>
${table(
  ['code', 'HTTP', 'meaning'],
  Object.entries(errors).map(([code, { status, meaning }]) => [code, String(status ?? '-'), meaning]),
)}
<h2>Session endings</h2>
${table(
  ['code', 'meaning', 'the client should'],
  Object.entries(sessionEndings).map(([code, { meaning, client }]) => [code, meaning, client]),
)}
</html>
`;
}
