/** Version 3 has types, but its package does not tell ES modules where they are. */
declare module 'socket.io-client-3' {
  import type { Socket } from './javascript.ts';

  export function io(url: string, options: Record<string, unknown>): Socket;
}
