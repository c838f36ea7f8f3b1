import type { Message } from '@parley/protocol';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { entriesFromWire, entriesToWire, toChangeEntry, toEntry, type MessageEntry } from './wire.ts';

const messages = fc.record({
  seq: fc.integer({ min: 1 }),
  rev: fc.integer({ min: 1 }),
  sender: fc.record({ id: fc.string(), name: fc.string({ unit: 'grapheme' }) }),
  id: fc.uuid(),
  content: fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('\n', 'a\r\nb\u2028', '', '"\\n"', 'x'.repeat(125), 'é'.repeat(100), 'y'.repeat(70_000)),
  ),
});

test('what other gateways receive is what was sent: the same entries, the same frames, the same text', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(messages, fc.boolean()), { minLength: 1, maxLength: 5 }), (all) => {
      const sent = all.map(([message, isChange]) =>
        isChange ? toChangeEntry(message as Message, 'change') : toEntry(message as Message),
      );
      const received = entriesFromWire(Buffer.from(entriesToWire(sent)));
      assert.deepEqual(received.map(plain), sent.map(plain));
    }),
  );
});

test('an event is kept though the bytes it came in are used again', () => {
  const sent = [toEntry({ seq: 1, id: 'a', sender: { id: 'ann', name: 'Ann' }, content: 'hello' } as Message)];
  const wire = Buffer.from(entriesToWire(sent));
  const received = entriesFromWire(wire);
  wire.fill(0);
  assert.deepEqual(received.map(plain), sent.map(plain));
});

function plain({ payload: { senderId, event }, ...entry }: MessageEntry): unknown {
  const [frame] = event.options.wsPreEncodedFrame;
  return { ...entry, senderId, type: event.type, text: event.data, frame: frame.toString('latin1') };
}
