import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, unreadBytes, wereTaken, type Backlog } from './backlog.ts';

test('what waits is added up as it comes and goes', () => {
  const connection: Backlog = { writeBuffer: [], transport: { socket: { bufferedAmount: 7 } } };
  let next = 1;
  const come = (count: number): void => {
    for (let index = 0; index < count; index += 1) connection.writeBuffer.push({ data: 'x'.repeat((next += 1)) });
  };
  const go = (count: number): void => wereTaken(connection, connection.writeBuffer.splice(0, count));
  const check = (): void => {
    const sum = connection.writeBuffer.reduce((bytes, packet) => bytes + bytesOf(packet), 7);
    assert.equal(unreadBytes(connection), sum);
  };
  check();
  come(5);
  check();
  go(2); // of those that were counted
  check();
  come(3);
  go(4); // some of them were not
  check();
  go(2);
  check();
  come(2);
  check();
  connection.writeBuffer = []; // all of it was taken
  check();
  come(4);
  check();
});
