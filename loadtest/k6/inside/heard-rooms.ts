import { StreamCheck, type Verdict } from '../../measure/stream-check.ts';
import type { Arrival } from './connection.ts';
import type { Recorder } from './metrics.ts';

const ID_LENGTH = 36;
const STAMP_LENGTH = 13;
/** Digits of the largest number, and then some. */
const NUMBER_LENGTH = 16;
const ROOM_ID = '"roomId":"';
const SEQ = '"seq":';
const { parseInt } = Number;

/** Takes the packet of a message, and when it came. */
export type Hear = (packet: string, arrival: Arrival) => void;

export interface Message {
  seq: number;
}

/** A room as a client hears it. */
export interface HeardRoom {
  readonly name: string;
  /** From the first join on. */
  id: string;
  /** As its id stands in a message. */
  idInMessage: string;
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
  /** Takes a `message:new`. */
  readonly hear: Hear;
  readonly #byId = new Map<string, HeardRoom>();
  readonly #recorder: Recorder;

  constructor(names: readonly string[], recorder: Recorder) {
    this.all = names.map((name) => ({ name, id: '', idInMessage: '', check: new StreamCheck(0), hears: false }));
    this.#recorder = recorder;
    this.hear = hearing(this.#byId, recorder);
  }

  /** Whether the client has been in all of them, so that it can sync. */
  get areKnown(): boolean {
    return this.all.every(({ id }) => id !== '');
  }

  /** The answer of a join, as JSON: what is heard is checked from its head on. */
  joined(room: HeardRoom, answer: string): void {
    const state = answer.indexOf('"room":{');
    room.id = valueOf(answer, '"id":"', ID_LENGTH, state);
    room.idInMessage = `${ROOM_ID}${room.id}"`;
    room.check.restart(numberOf(answer, '"headSeq":', state));
    room.hears = true;
    this.#byId.set(room.id, room);
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
    judge(room.check.see(seq), this.#recorder);
  }
}

/**
 * Messages are not parsed but searched, by a function that needs few objects: those of thousands of clients are in no
 * cache of the processor, so what k6 spends here grows with their number.
 */
function hearing(byId: ReadonlyMap<string, HeardRoom>, recorder: Recorder): Hear {
  /** In which the last message was, and most often the next one is. */
  let room: HeardRoom | undefined;
  return (packet, arrival) => {
    if (room === undefined || !packet.includes(room.idInMessage)) {
      room = byId.get(valueOf(packet, ROOM_ID, ID_LENGTH));
    }
    if (room?.hears !== true) return recorder.count('crosstalk');
    const { check } = room;
    const at = packet.indexOf(SEQ) + SEQ.length;
    const seq = parseInt(packet.slice(at, at + NUMBER_LENGTH), 10);
    if (seq === check.last + 1) check.last = seq;
    else judge(check.see(seq), recorder);
    if (!recorder.delivered()) return;
    const { timestamp } = arrival;
    recorder.time('delivery', timestamp - Number(valueOf(packet, '"content":"', STAMP_LENGTH)));
    recorder.time('lag', Date.now() - timestamp);
  };
}

function judge(verdict: Verdict, recorder: Recorder): void {
  if (verdict === 'late') recorder.count('reordered');
  else if (verdict === 'repeat') recorder.count('repeats');
}

function valueOf(text: string, name: string, length: number, after = 0): string {
  const from = text.indexOf(name, after) + name.length;
  return text.slice(from, from + length);
}

function numberOf(text: string, name: string, after = 0): number {
  return parseInt(valueOf(text, name, NUMBER_LENGTH, after), 10);
}
