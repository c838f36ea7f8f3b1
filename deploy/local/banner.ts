/** What the banner tells of. */
export interface BannerFacts {
  /** As people write it, such as `http://localhost:8080`. */
  url: string;
  /** Whether other machines reach it, too. */
  isPublic: boolean;
  statsUrl: string;
  dataDir: string;
  token: string;
}

/** A whole program: it joins a room, says hello, sends what is typed, and prints what it hears. */
export function demoProgram(url: string, token: string): string {
  return `import { io } from 'socket.io-client';

const token = '${token}';
const socket = io('${url}', { auth: { token, echo: true } });
socket.on('message:new', (message) => console.log(\`\${message.sender.name}: \${message.content}\`));
socket.on('connect_error', (error) => console.error(error.message));

const { data } = await socket.emitWithAck('room:join', { name: 'Lobby', create: true });
const say = (content) =>
  socket.emitWithAck('message:send', { roomId: data.room.id, content, clientMsgId: crypto.randomUUID() });
await say('Hello!');
process.stdin.on('data', (line) => say(String(line).trim()));
`;
}

/** What is shown once the cluster is ready. */
export function banner({ url, isPublic, statsUrl, dataDir, token }: BannerFacts): string {
  const rule = '-'.repeat(60);
  return `
Parley is listening on ${url}${isPublic ? ' (and for other machines; PARLEY_HOST=localhost keeps it to this one)' : ''}
  API        ${url}/docs
  HAProxy    ${statsUrl}
  processes  ${dataDir}/cluster.json
  logs       ${dataDir}/logs

To chat with it, put this into chat.mjs, then: npm install socket.io-client && node chat.mjs
The token is of the user Demo and good for 24 hours.

${rule}
${demoProgram(url, token)}${rule}

Ctrl-C stops everything.`;
}
