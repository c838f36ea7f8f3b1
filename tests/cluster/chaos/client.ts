import type { CommandOutput, Message, messageHistory, roomJoin, roomsSync } from '@parley/protocol';
import { io, type Socket } from 'socket.io-client';
import type { Board } from './board.ts';
import { Outbox } from './outbox.ts';
import { Position } from './position.ts';
import { Recorder, seen } from './recorder.ts';
import { Requests } from './requests.ts';

export interface ChaosClientOptions {
  name: string;
  userId: string;
  url: string;
  token: string;
  transport: 'websocket' | 'polling';
  echo: boolean;
  rooms: readonly string[];
  board: Board;
}

type Joined = CommandOutput<typeof roomJoin>;
type Synced = CommandOutput<typeof roomsSync>['rooms'][number];
type History = CommandOutput<typeof messageHistory>;
type Page = Pick<Joined, 'messages' | 'changed' | 'truncated'> & { room: { headSeq: number; headRev: number } };

const RETRY_MS = 300;
/** What a client remembers of its own way, for people who ask why it heard nothing. */
const MAX_STEPS = 60;

/**
 * A client that does what the contract says: it syncs from its last `seq` and `rev` whenever it connects or is told to,
 * reads what a truncated page leaves out, comes back by itself, and repeats sends until they are answered.
 */
export class ChaosClient {
  readonly recorder: Recorder;
  readonly outbox: Outbox;
  readonly rooms: readonly string[];
  /** Refusals and endings that a client should not meet, with how often. */
  readonly oddities = new Map<string, number>();
  /** The longest time between two deliveries since `watchPauses`, ms. */
  longestPauseMs = 0;
  /** What happened to its connection in that time, with when, ms from its beginning. */
  stepsInPause: readonly string[] = [];
  readonly #steps: { at: number; what: string }[] = [];
  readonly #socket: Socket;
  readonly #requests: Requests;
  readonly #positions: ReadonlyMap<string, { seq: Position; rev: Position }>;
  readonly #joined = new Set<string>();
  /** The rooms that the record has a page of. */
  readonly #paged = new Set<string>();
  readonly #board: Board;
  #lastHeardAt = Date.now();
  #isClosed = false;
  /** What may be edited or reacted to: the last message heard of each room. */
  readonly latest = new Map<string, Message>();

  constructor({ name, userId, url, token, transport, echo, rooms, board }: ChaosClientOptions) {
    this.recorder = new Recorder({ name, userId, echo });
    this.rooms = rooms;
    this.#board = board;
    this.#positions = new Map(rooms.map((roomId) => [roomId, { seq: new Position(), rev: new Position() }]));
    this.#socket = io(url, {
      auth: { token, echo },
      transports: [transport],
      forceNew: true,
      autoConnect: false,
      reconnectionDelay: 100,
      reconnectionDelayMax: 1_000,
      timeout: 4_000,
    });
    this.#requests = new Requests(this.#socket, (what) => this.odd(what));
    this.outbox = new Outbox({
      name,
      recorder: this.recorder,
      emit: (event, payload, onAnswer) => this.#requests.emit(event, payload, onAnswer),
      isOpen: () => this.isConnected,
      onAcked: (message, latencyMs) => {
        this.#position(message.roomId).seq.add(message.seq);
        board.acked(latencyMs);
      },
      onChanged: (message) => {
        if (message.rev !== undefined) this.#position(message.roomId).rev.add(message.rev);
      },
      onUnclear: (roomId) => this.#sync([roomId]),
      onRefused: (what) => this.odd(what),
    });
    this.#listen();
  }

  get isConnected(): boolean {
    return this.#socket.connected;
  }

  /** Whether the record has a page of every room. */
  get isHearing(): boolean {
    return this.#paged.size === this.rooms.length;
  }

  /** Whether it hears all its rooms and has come to these heads. */
  hasReached(heads: ReadonlyMap<string, { seq: number; rev: number }>): boolean {
    return this.rooms.every((roomId) => {
      const { seq, rev } = this.#position(roomId);
      const head = heads.get(roomId) ?? { seq: 0, rev: 0 };
      return this.#joined.has(roomId) && seq.at >= head.seq && rev.at >= head.rev;
    });
  }

  /** Where it stands and where it should, for people. */
  describe(heads: ReadonlyMap<string, { seq: number; rev: number }>): string {
    const rooms = this.rooms.map((roomId) => {
      const [has, head] = [this.positionIn(roomId), heads.get(roomId)];
      return `${has.seq} of ${head?.seq}, changes ${has.rev} of ${head?.rev}`;
    });
    const transport = this.#socket.io.engine?.transport.name ?? 'nothing';
    return `${this.recorder.name} (${this.isConnected ? 'connected' : 'not connected'} by ${transport}; ${rooms.join('; ')})`;
  }

  positionIn(roomId: string): { seq: number; rev: number } {
    const { seq, rev } = this.#position(roomId);
    return { seq: seq.at, rev: rev.at };
  }

  connect(): void {
    this.#socket.connect();
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.close();
    this.outbox.stop();
  }

  /** Drops the transport without a word; the client comes back by itself. */
  dropTransport(): void {
    this.#socket.io.engine?.close();
  }

  /** Begins a new record: with a page of every room on the socket that is open, or on the next one. */
  restartRecord(): void {
    this.recorder.restart();
    this.#paged.clear();
    if (this.isConnected) this.#hear();
  }

  watchPauses(): void {
    this.longestPauseMs = 0;
    this.stepsInPause = [];
    this.#lastHeardAt = Date.now();
  }

  /** Ends the watch: a pause that goes on counts as well. */
  pauseSoFar(): number {
    this.#endPause(Date.now());
    return this.longestPauseMs;
  }

  #endPause(now: number): void {
    const since = this.#lastHeardAt;
    if (now - since <= this.longestPauseMs) return;
    this.longestPauseMs = now - since;
    this.stepsInPause = this.#steps.filter(({ at }) => at >= since).map(({ at, what }) => `${at - since} ${what}`);
  }

  #step(what: string): void {
    this.#steps.push({ at: Date.now(), what });
    if (this.#steps.length > MAX_STEPS) this.#steps.shift();
  }

  odd(what: string): void {
    this.oddities.set(what, (this.oddities.get(what) ?? 0) + 1);
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('connect', () => {
      this.#step('connected');
      this.#requests.begin();
      this.recorder.begin();
      this.#hear();
    });
    socket.on('connect_error', ({ message }) => {
      this.#step(`refused: ${message}`);
      // Refused by the server: unlike a transport that fails, this does not come back by itself.
      if (!socket.active && !this.#isClosed) setTimeout(() => this.#isClosed || socket.connect(), RETRY_MS);
    });
    socket.on('disconnect', (reason) => {
      this.#step(`disconnected: ${reason}`);
      this.outbox.pause();
    });
    socket.on('session:ended', ({ code, reconnect }: { code: string; reconnect: boolean }) => {
      this.#step(`ended: ${code}`);
      if (!reconnect) this.odd(`session ended: ${code}`);
    });
    socket.on('message:new', (message: Message) => {
      this.recorder.note(message.roomId, { kind: 'new', ...seen(message) });
      this.#position(message.roomId).seq.add(message.seq);
      this.latest.set(message.roomId, message);
      const now = Date.now();
      this.#endPause(now);
      this.#lastHeardAt = now;
      this.#board.delivered(now - Number.parseInt(message.content, 10));
    });
    socket.on('message:updated', (message: Message) => {
      this.recorder.note(message.roomId, { kind: 'updated', ...seen(message), rev: message.rev ?? 0 });
      if (message.rev !== undefined) this.#position(message.roomId).rev.add(message.rev);
    });
    socket.on('room:resync', ({ roomId }: { roomId: string }) => {
      this.recorder.note(roomId, { kind: 'resync' });
      this.#sync([roomId]);
    });
  }

  /** Joins what was never joined, syncs the rest; then sends what waits. */
  #hear(): void {
    const known = this.rooms.filter((roomId) => this.#joined.has(roomId));
    if (known.length > 0) this.#sync(known);
    for (const roomId of this.rooms) if (!this.#joined.has(roomId)) this.#join(roomId);
    this.outbox.resume();
  }

  #join(roomId: string): void {
    this.#requests.ask<Joined>('room:join', { roomId, history: 20 }, (joined) => {
      this.#take(roomId, joined);
      this.#joined.add(roomId);
    });
  }

  #sync(roomIds: readonly string[]): void {
    const cursors = new Map(roomIds.map((roomId) => [roomId, this.positionIn(roomId)]));
    const rooms = [...cursors].map(([roomId, cursor]) => ({ roomId, ...cursor }));
    this.#requests.ask<{ rooms: Synced[] }>('rooms:sync', { rooms }, ({ rooms: synced }) => {
      this.#step('synced');
      for (const one of synced) {
        if (one.ok) this.#take(one.roomId, one, cursors.get(one.roomId));
        else this.odd(`rooms:sync of a room: ${one.error.code}`);
      }
    });
  }

  #take(roomId: string, page: Page, from?: { seq: number; rev: number }): void {
    const { messages, changed, truncated, room } = page;
    this.#paged.add(roomId);
    this.recorder.note(roomId, {
      kind: 'page',
      head: { seq: room.headSeq, rev: room.headRev },
      messages: messages.map(seen),
      truncated,
      ...(from && { from }),
      ...(changed && { changed: changed.map(seen) }),
    });
    const { seq, rev } = this.#position(roomId);
    const before = seq.at;
    seq.page(room.headSeq);
    rev.page(room.headRev);
    const latest = messages.at(-1);
    if (latest) this.latest.set(roomId, latest);
    if (from && truncated) this.#readRest(roomId, before, messages[0]?.seq ?? room.headSeq + 1);
  }

  /** What a truncated page left out: behind `after`, before `before`. */
  #readRest(roomId: string, after: number, before: number): void {
    if (after + 1 >= before) return;
    this.#requests.ask<History>('message:history', { roomId, after, limit: 100 }, ({ messages }) => {
      const last = messages.at(-1);
      if (!last) return;
      this.recorder.note(roomId, { kind: 'history', messages: messages.map(seen) });
      this.#readRest(roomId, last.seq, before);
    });
  }

  #position(roomId: string): { seq: Position; rev: Position } {
    const position = this.#positions.get(roomId);
    if (!position) throw new Error(`${this.recorder.name} was told of ${roomId}, which it never joined`);
    return position;
  }
}
