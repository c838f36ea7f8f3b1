import { messageNewEvent, messageUpdatedEvent, type Message } from '@parley/protocol';
import type { Entry } from '../../delivery/room-stream.ts';
import { encodedEvent, encodeEvent, type EncodedEvent } from '../../platform/sockets/encode.ts';

/** What streams and channels carry of a message: the event is encoded where it was committed, once for all gateways. */
export interface Carried {
  /** Who wrote the message. */
  readonly senderId: string;
  readonly event: EncodedEvent;
}

/** An entry of this feature. */
export interface MessageEntry extends Entry {
  payload: Carried;
}

/** A committed message as the streams carry it. */
export function toEntry(message: Message): MessageEntry {
  const { seq, id } = message;
  return { log: 'message', number: seq, seq, id, payload: carried(message, encodeEvent(messageNewEvent, message)) };
}

/** A committed change as the streams carry it; the id is that of the change. */
export function toChangeEntry(message: Message, changeId: string): MessageEntry {
  const { seq, rev = 0 } = message;
  const event = encodeEvent(messageUpdatedEvent, message);
  return { log: 'change', number: rev, seq, id: changeId, payload: carried(message, event) };
}

function carried({ sender }: Message, event: EncodedEvent): Carried {
  return { senderId: sender.id, event };
}

/** Of an entry, without its event. */
type Head = [log: Entry['log'], number: number, seq: number, id: string, senderId: string];

const LINE_END = 0x0a;

/**
 * Entries on their way to other gateways: a line of JSON with their heads, then a line for each with its Engine.IO packet,
 * which has no line ends (JSON escapes them). Who receives it has to read the heads only.
 */
export function entriesToWire(entries: readonly MessageEntry[]): string {
  const heads = entries.map(({ log, number, seq, id, payload }): Head => [log, number, seq, id, payload.senderId]);
  let wire = JSON.stringify(heads);
  for (const { payload } of entries) wire += `\n4${payload.event.data}`;
  return wire;
}

/** @param wire what `entriesToWire` made, in UTF-8 */
export function entriesFromWire(wire: Buffer): MessageEntry[] {
  let end = wire.indexOf(LINE_END);
  const heads = JSON.parse(wire.toString('utf8', 0, end)) as Head[];
  return heads.map(([log, number, seq, id, senderId]) => {
    const start = end + 1;
    end = wire.indexOf(LINE_END, start);
    if (end < 0) end = wire.length;
    return { log, number, seq, id, payload: { senderId, event: encodedEvent(wire.subarray(start, end)) } };
  });
}
