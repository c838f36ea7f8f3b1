import { connect } from 'node:net';

/** Sends one command to Redis on a connection of its own. @returns the answer as it came */
export function redisCommand(url: string, ...words: string[]): Promise<string> {
  const { hostname, port, password } = new URL(url);
  const encode = (parts: readonly string[]): string =>
    `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      if (password !== '') socket.write(encode(['AUTH', decodeURIComponent(password)]));
      socket.write(encode(words) + encode(['QUIT']));
    });
    socket.setEncoding('utf8').setTimeout(10_000, () => socket.destroy(new Error('Redis did not answer')));
    socket.on('data', (chunk: string) => (answer += chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      if (/^-/m.test(answer)) reject(new Error(`Redis refused ${words[0]}: ${answer.trim()}`));
      else resolve(answer);
    });
  });
}
