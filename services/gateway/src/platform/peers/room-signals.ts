import type { Log } from '../log.ts';

/** Something that the gateways which hear a room tell each other about it. */
export interface RoomTopic<Payload> {
  readonly name: string;
  /** Only to tie the payload's type to the name. */
  readonly _payload?: Payload;
}

/** @param name unique in the cluster, such as `typing:start`; gateways that do not know it ignore it */
export function roomTopic<Payload>(name: string): RoomTopic<Payload> {
  return { name };
}

/**
 * What may be lost, from any gateway to those where somebody hears a room, over the channel of the room that its
 * messages take, too. What one gateway sends arrives in the order it was sent, as long as nothing is lost.
 */
export interface RoomSignals {
  /** What is done here for a room that is heard here. To be called before the gateway is ready. */
  on<Payload>(topic: RoomTopic<Payload>, act: (roomId: string, payload: Payload) => void): void;
  /** Nobody here hears the room any more: nothing of it is received from now on. */
  onClosed(run: (roomId: string) => void): void;
  /** Does it here at once, when the room is heard here, and has it done by the others. */
  send<Payload>(roomId: string, topic: RoomTopic<Payload>, payload: Payload): void;
}

/** On the wire. */
export interface Signal {
  topic: string;
  payload: unknown;
}

export interface RoomSignalsOptions {
  log: Log;
  /** Whether this gateway listens to the room's channel. */
  isOpen: (roomId: string) => boolean;
  publish: (roomId: string, signal: Signal) => void;
}

export interface ReceivingRoomSignals extends RoomSignals {
  /** Another gateway has sent it. */
  receive(roomId: string, signal: Signal): void;
  closed(roomId: string): void;
}

export function createRoomSignals({ log, isOpen, publish }: RoomSignalsOptions): ReceivingRoomSignals {
  const acts = new Map<string, (roomId: string, payload: never) => void>();
  const onClosed: ((roomId: string) => void)[] = [];

  function receive(roomId: string, { topic, payload }: Signal): void {
    try {
      acts.get(topic)?.(roomId, payload as never);
    } catch (error) {
      log.error({ err: error, topic, roomId }, 'what a gateway said of a room failed');
    }
  }

  return {
    on: (topic, act) => void acts.set(topic.name, act),
    onClosed: (run) => void onClosed.push(run),
    send(roomId, { name }, payload) {
      const signal = { topic: name, payload };
      if (isOpen(roomId)) receive(roomId, signal);
      publish(roomId, signal);
    },
    receive,
    closed(roomId) {
      for (const run of onClosed) run(roomId);
    },
  };
}
