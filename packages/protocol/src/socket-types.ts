import type { CommandOutput, CommandRequest, Payload } from './define.ts';
import type { Ack } from './errors.ts';
import type { broadcasts, commands } from './registry.ts';

type Commands = typeof commands;
type Broadcasts = typeof broadcasts;

/** The client-to-server events, as the generics of Socket.IO take them. */
export type ClientToServerEvents = {
  [Name in keyof Commands]: (
    payload: CommandRequest<Commands[Name]>,
    ack?: (answer: Ack<CommandOutput<Commands[Name]>>) => void,
  ) => void;
};

/** The server-to-client events, as the generics of Socket.IO take them. */
export type ServerToClientEvents = {
  [Name in keyof Broadcasts]: (payload: Payload<Broadcasts[Name]>) => void;
};
