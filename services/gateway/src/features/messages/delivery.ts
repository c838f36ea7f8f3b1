import {
  isLockTimeout,
  isStatementTimeout,
  isTransient,
  isUnavailable,
  type AppendedRow,
  type Database,
} from '@parley/database';
import { roomResyncEvent, type Message } from '@parley/protocol';
import type { Kysely } from 'kysely';
import { randomUUID } from 'node:crypto';
import { commitPace } from '../../delivery/commit-pace.ts';
import { MessageWriter, type NewMessage } from '../../delivery/message-writer.ts';
import type { Told } from '../../delivery/room-stream.ts';
import { RoomTurns } from '../../delivery/room-turns.ts';
import { Streams, type StreamsOptions } from '../../delivery/streams.ts';
import { ChatError } from '../../platform/errors.ts';
import { RETRY_STORE_MS } from '../../platform/failures.ts';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { createRoomSignals, type RoomSignals, type Signal } from '../../platform/peers/room-signals.ts';
import type { RedisClients } from '../../platform/redis/clients.ts';
import type { RedisKeys } from '../../platform/redis/keys.ts';
import { createRoomChannel } from '../../platform/redis/room-channel.ts';
import { encodeEvent } from '../../platform/sockets/encode.ts';
import { gatherForAllMs } from '../../platform/sockets/gather.ts';
import { tell } from '../../platform/sockets/tell.ts';
import type { ChatSocket } from '../../platform/sockets/types.ts';
import { appendMessages } from './messages.sql.ts';
import { createStore } from './store.ts';
import { toMessage } from './view.ts';
import { entriesFromWire, entriesToWire, toEntry, type Carried, type MessageEntry } from './wire.ts';

/**
 * How long a batch waits for locks, ms: so many times what a commit takes at the moment (a wait for other gateways'
 * commits is no reason to split a batch), within these bounds.
 */
const LOCK_TIMEOUT = { times: 4, leastMs: 300, mostMs: 2_000 };
/** What comes over the channel of a room begins with this when it is entries: "[". Else it is a signal. */
const ENTRIES = 0x5b;
/** How far commits begin apart, as a share of the time for which it is worth gathering what is for all sockets. */
const COMMITS_APART = 0.5;
/** How much the latest commit counts in what one takes at the moment. */
const LATEST_SHARE = 0.2;

/** What became of a message: stored (just now or earlier), or why not. */
export type Outcome =
  | { stored: Message; isNew: boolean }
  | { stored: undefined; refusal: Exclude<AppendedRow['outcome'], 'appended' | 'duplicate'>; mutedUntil: Date | null };

export interface Delivery {
  writer: MessageWriter<Outcome>;
  roomTurns: RoomTurns;
  streams: Streams<ChatSocket>;
  /** Tells all gateways what was committed in a room. */
  readonly announce: (roomId: string, entries: readonly MessageEntry[]) => void;
  readonly signals: RoomSignals;
  /**
   * Runs when entries have just been committed in a room: here, or elsewhere in a room that is heard here. After the
   * streams have them. What was lost on its way and is read later does not come by here.
   */
  readonly onArrival: (run: (roomId: string, entries: readonly MessageEntry[]) => void) => void;
  stop(): Promise<void>;
}

export interface DeliveryOptions extends Pick<StreamsOptions<ChatSocket>, 'evictOutsiders'> {
  db: Kysely<Database>;
  redis: RedisClients;
  keys: RedisKeys;
  log: Log;
  metrics: Metrics;
  /** How long a message may wait for a room whose row somebody holds, ms. */
  patienceMs: number;
}

/**
 * Puts delivery together: the writer commits to PostgreSQL; what is committed goes to the streams of this gateway and,
 * one publish a room and batch, to those of the others; the streams tell the sockets.
 */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { db, redis, keys, log, metrics, patienceMs, evictOutsiders } = options;
  const channel = createRoomChannel({
    redis,
    name: randomUUID(),
    channelOf: (roomId) => keys.channelOf(roomId),
    onPayload: (roomId, payload) => {
      if (payload[0] === ENTRIES) receive(roomId, entriesFromWire(payload));
      else signals.receive(roomId, JSON.parse(payload.toString()) as Signal);
    },
    onClose: (roomId) => signals.closed(roomId),
    onReturn: () => void streams.compareHeads(),
  });
  const signals = createRoomSignals({
    log,
    isOpen: (roomId) => channel.isOpen(roomId),
    publish: (roomId, signal) => channel.publish(roomId, JSON.stringify(signal)),
  });
  const arrivals: ((roomId: string, entries: readonly MessageEntry[]) => void)[] = [];
  const streams = new Streams<ChatSocket>({
    channel,
    store: createStore(db),
    timer: {
      after: (ms, run) => {
        const handle = setTimeout(run, ms);
        return () => clearTimeout(handle);
      },
    },
    tell: (hearers, _roomId, entries) => tellEntries(hearers, entries),
    cut: (hearers, roomId, { seq: headSeq, rev: headRev }, reason) => {
      const event = encodeEvent(roomResyncEvent, { roomId, headSeq, headRev, reason });
      for (const hearer of hearers) tell(hearer, event);
    },
    evictOutsiders,
    onError: (error) => log.warn({ err: error }, 'streams could not be compared with PostgreSQL'),
  });
  const overdue = () => new ChatError('UNAVAILABLE', { message: 'The room is held up', retryAfterMs: RETRY_STORE_MS });
  let usualMs = 0;
  const writer = new MessageWriter<Outcome>({
    defer: commitPace({ apartMs: () => gatherForAllMs() * COMMITS_APART }),
    append: async (batch) => {
      const startedAt = performance.now();
      const { times, leastMs, mostMs } = LOCK_TIMEOUT;
      const lockTimeoutMs = Math.round(Math.min(mostMs, Math.max(leastMs, usualMs * times)));
      const rows = await appendMessages(db, batch, lockTimeoutMs);
      const tookMs = performance.now() - startedAt;
      usualMs += (tookMs - usualMs) * LATEST_SHARE;
      metrics.appendSeconds.observe(tookMs / 1_000);
      metrics.appendBatch.observe(batch.length);
      const outcomes = rows.map((row) => toOutcome(row, batch[row.idx - 1] as NewMessage));
      publish(outcomes.flatMap((outcome) => (outcome.stored && outcome.isNew ? outcome.stored : [])));
      return outcomes;
    },
    isTransient,
    isLocked: isLockTimeout,
    // Out of time is away: smaller batches would be no faster, one after the other.
    isUnavailable: (error) => isUnavailable(error) || isStatementTimeout(error),
    overflow: () => new ChatError('UNAVAILABLE', { message: 'Too many messages wait', retryAfterMs: RETRY_STORE_MS }),
    overdue,
    patienceMs,
  });

  function publish(messages: readonly Message[]): void {
    metrics.appended.inc(messages.length);
    for (const [roomId, ofRoom] of Map.groupBy(messages, (message) => message.roomId)) {
      announce(roomId, ofRoom.map(toEntry));
    }
  }

  function announce(roomId: string, entries: readonly MessageEntry[]): void {
    receive(roomId, entries);
    channel.publish(roomId, entriesToWire(entries));
  }

  function receive(roomId: string, entries: readonly MessageEntry[]): void {
    streams.receive(roomId, entries);
    for (const run of arrivals) run(roomId, entries);
  }

  return {
    writer,
    roomTurns: new RoomTurns({ patienceMs, overdue }),
    streams,
    announce,
    signals,
    onArrival: (run) => void arrivals.push(run),
    async stop() {
      await writer.flush();
      streams.stop();
    },
  };
}

function toOutcome(row: AppendedRow, input: NewMessage): Outcome {
  if (row.outcome !== 'appended' && row.outcome !== 'duplicate') {
    return { stored: undefined, refusal: row.outcome, mutedUntil: row.muted_until };
  }
  const stored = toMessage({
    ...row,
    room_id: input.roomId,
    sender_id: input.senderId,
    client_msg_id: input.clientMsgId,
    reactions: null,
  });
  return { stored, isNew: row.outcome === 'appended' };
}

function tellEntries(hearers: Iterable<ChatSocket>, entries: readonly Told<ChatSocket>[]): void {
  for (const hearer of hearers) {
    for (const { payload, except } of entries) if (except !== hearer) tell(hearer, (payload as Carried).event);
  }
}
