import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import { clientAddressOf, trustedProxies } from './address.ts';
import { originRule } from './origin.ts';

function request(peer: string, headers: Record<string, string>): IncomingMessage {
  return {
    headers,
    socket: { remoteAddress: peer },
    connection: { remoteAddress: peer },
  } as unknown as IncomingMessage;
}

describe('originRule', () => {
  const isTrusted = trustedProxies(['10.0.0.1']);
  const isAllowed = originRule(['https://app.example'], isTrusted);

  const cases: [string, string, Record<string, string>, boolean][] = [
    ['no origin is no cross-site request', '1.2.3.4', { host: 'chat.example' }, true],
    ['the own origin', '1.2.3.4', { host: 'chat.example', origin: 'http://chat.example' }, true],
    ['another scheme is another origin', '1.2.3.4', { host: 'chat.example', origin: 'https://chat.example' }, false],
    ['another port is another origin', '1.2.3.4', { host: 'chat.example', origin: 'http://chat.example:81' }, false],
    ['a listed origin', '1.2.3.4', { host: 'chat.example', origin: 'https://app.example' }, true],
    ['case does not matter', '1.2.3.4', { host: 'Chat.Example', origin: 'HTTP://CHAT.example' }, true],
    ['a foreign one', '1.2.3.4', { host: 'chat.example', origin: 'https://evil.example' }, false],
    ['a name that only begins like a listed one', '1.2.3.4', { origin: 'https://app.example.evil.com' }, false],
    ['the opaque origin of a sandbox', '1.2.3.4', { host: 'chat.example', origin: 'null' }, false],
    [
      'https, as the trusted proxy says',
      '10.0.0.1',
      { host: 'chat.example', origin: 'https://chat.example', 'x-forwarded-proto': 'https' },
      true,
    ],
    [
      'https, as anybody says',
      '1.2.3.4',
      { host: 'chat.example', origin: 'https://chat.example', 'x-forwarded-proto': 'https' },
      false,
    ],
  ];
  for (const [name, peer, headers, allowed] of cases) {
    test(name, () => assert.equal(isAllowed(request(peer, headers)), allowed));
  }

  test('* allows all', () => {
    assert(originRule(['*'], isTrusted)(request('1.2.3.4', { origin: 'https://evil.example' })));
  });
});

describe('clientAddressOf', () => {
  test('only a trusted proxy is believed', () => {
    const addressOf = clientAddressOf(trustedProxies(['10.0.0.1']));
    assert.equal(addressOf(request('10.0.0.1', { 'x-forwarded-for': '1.2.3.4' })), '1.2.3.4');
    assert.equal(addressOf(request('9.9.9.9', { 'x-forwarded-for': '1.2.3.4' })), '9.9.9.9');
    assert.equal(addressOf(request('10.0.0.1', { 'x-forwarded-for': '6.6.6.6, 1.2.3.4' })), '1.2.3.4');
  });

  test('an IPv4 peer of a dual-stack listener is an IPv4 address', () => {
    assert.equal(clientAddressOf(trustedProxies([]))(request('::ffff:127.0.0.1', {})), '127.0.0.1');
  });
});
