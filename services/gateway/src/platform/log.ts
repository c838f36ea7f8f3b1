import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = Logger;

/**
 * The process's log: JSON lines with ISO times and level names. Context is added by children
 * (`log.child({connectionId, userId})`). Values that let somebody in are cut out wherever they would be logged.
 */
export function createLog(options: { level: string; name: string }, destination?: DestinationStream): Log {
  return pino(
    {
      level: options.level,
      base: { gateway: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: ['token', '*.token', 'password', '*.password', 'headers.authorization', 'headers.cookie'],
        censor: '[hidden]',
      },
    },
    ...(destination ? [destination] : []),
  );
}
