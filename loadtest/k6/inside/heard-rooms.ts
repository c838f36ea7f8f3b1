import { StreamCheck } from '../../measure/stream-check.ts';
import type { Arrival } from './connection.ts';
import type { Recorder } from './metrics.ts';

const ID_LENGTH = 36;
const STAMP_LENGTH = 13;
/** Digits of the largest number, and then some. */
const NUMBER_LENGTH = 16;

export interface Message {
  seq: number;
}

/** A room as a client hears it. */
export interface HeardRoom {
  readonly name: string;
  /** From the first join on. */
  id: string;
  readonly check: StreamCheck;
  /** Whether it should be hearing the room now. */
  hears: boolean;
}

/** An entry of the answer to `rooms:sync`. */
export interface SyncedRoom {
  roomId: string;
  ok: boolean;
  room?: { headSeq: number };
  messages?: Message[];
  truncated?: boolean;
  error?: { code: string };
}

/** The rooms of one client, and the check of what it hears of each. */
export class HeardRooms {
  readonly all: readonly HeardRoom[];
  readonly #byId = new Map<string, HeardRoom>();
  readonly #recorder: Recorder;

  constructor(names: readonly string[], recorder: Recorder) {
    this.all = names.map((name) => ({ name, id: '', check: new StreamCheck(0), hears: false }));
    this.#recorder = recorder;
  }

  /** Whether the client has been in all of them, so that it can sync. */
  get areKnown(): boolean {
    return this.all.every(({ id }) => id !== '');
  }

  /** The answer of a join, as JSON: what is heard is checked from its head on. */
  joined(room: HeardRoom, answer: string): void {
    const state = answer.indexOf('"room":{');
    room.id = valueOf(answer, '"id":"', ID_LENGTH, state);
    room.check.restart(numberOf(answer, '"headSeq":', state));
    room.hears = true;
    this.#byId.set(room.id, room);
  }

  /** A `message:new`, which is not parsed but searched: parsing would be most of k6's work. */
  hear(packet: string, arrival: Arrival): void {
    const room = this.#byId.get(valueOf(packet, '"roomId":"', ID_LENGTH));
    if (room?.hears !== true) return this.#recorder.count('crosstalk');
    const seq = numberOf(packet, '"seq":');
    if (seq === room.check.last + 1) room.check.last = seq;
    else this.#see(room, seq);
    if (!this.#recorder.delivered()) return;
    const { timestamp } = arrival;
    this.#recorder.time('delivery', timestamp - Number(valueOf(packet, '"content":"', STAMP_LENGTH)));
    this.#recorder.time('lag', Date.now() - timestamp);
  }

  /** What a sync brought must close the stream up to its head. */
  caughtUp({ roomId, ok, room: state, messages = [], truncated, error }: SyncedRoom): void {
    const room = this.#byId.get(roomId);
    if (room === undefined || !ok || state === undefined) return this.#recorder.error(error?.code ?? 'SYNC');
    if (truncated === true) {
      this.#recorder.count('truncated');
    } else {
      for (const { seq } of messages) this.#see(room, seq);
      this.#recorder.count('caught_up', messages.length);
      this.#recorder.count('gaps', room.check.missing(state.headSeq));
    }
    room.check.restart(state.headSeq);
  }

  #see(room: HeardRoom, seq: number): void {
    const verdict = room.check.see(seq);
    if (verdict === 'late') this.#recorder.count('reordered');
    else if (verdict === 'repeat') this.#recorder.count('repeats');
  }
}

function valueOf(text: string, name: string, length: number, after = 0): string {
  const from = text.indexOf(name, after) + name.length;
  return text.slice(from, from + length);
}

function numberOf(text: string, name: string, after = 0): number {
  return Number.parseInt(valueOf(text, name, NUMBER_LENGTH, after), 10);
}
