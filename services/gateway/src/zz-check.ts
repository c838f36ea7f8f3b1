import { io, type Socket } from 'socket.io-client';
import { Redis } from 'ioredis';
import { collect, nextEvent } from '@parley/test-support';
const s: Socket<{ 'message:new': (m: { a: 1 }) => void; 'x': () => void }, { y: (a: string) => void }> = io('x');
export const a = collect<{ a: 1 }>(s, 'message:new');
export const b = collect<string>(new Redis(), 'message');
export const c = nextEvent<void>(process, 'exit');
export const d = collect<string>(io('y'), 'message');
