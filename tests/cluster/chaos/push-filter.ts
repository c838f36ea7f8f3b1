import type { Filter } from './tcp-proxy.ts';

const CRLF = Buffer.from('\r\n');
/** As RESP2 and RESP3 begin a message of a sharded channel. */
const PUSHES = ['*', '>'].map((kind) => Buffer.from(`${kind}3\r\n$8\r\nsmessage\r\n`));

/** How what begins with this byte goes on behind its first line. */
const BULKS = new Set([...'$=!'].map((kind) => kind.charCodeAt(0)));
const LISTS = new Map([...'*>~'].map((kind) => [kind.charCodeAt(0), 1]));
const MAPS = new Map([...'%|'].map((kind) => [kind.charCodeAt(0), 2]));
const PARTS = new Map([...LISTS, ...MAPS]);

/**
 * A filter for a connection that comes from Redis (RESP2 or RESP3): drops whole messages of sharded channels, and leaves
 * every other answer alone.
 *
 * @param drops asked once for each message
 */
export function pushFilter(drops: () => boolean): () => Filter {
  return () => {
    let rest: Buffer = Buffer.alloc(0);
    return (chunk) => {
      const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      const kept: Buffer[] = [];
      let start = 0;
      for (let end = frameEnd(data, start); end !== undefined; end = frameEnd(data, start)) {
        const frame = data.subarray(start, end);
        if (!isPush(frame) || !drops()) kept.push(frame);
        start = end;
      }
      rest = Buffer.from(data.subarray(start));
      return Buffer.concat(kept);
    };
  };
}

function isPush(frame: Buffer): boolean {
  return PUSHES.some((push) => frame.length > push.length && push.equals(frame.subarray(0, push.length)));
}

/** Where the answer that begins at `start` ends; undefined as long as it is not whole. */
function frameEnd(data: Buffer, start: number): number | undefined {
  const lineEnd = data.indexOf(CRLF, start);
  if (lineEnd < 0) return undefined;
  const next = lineEnd + CRLF.length;
  const kind = data[start] ?? 0;
  const count = Number(data.toString('latin1', start + 1, lineEnd));
  if (BULKS.has(kind)) {
    if (count < 0) return next;
    const end = next + count + CRLF.length;
    return end <= data.length ? end : undefined;
  }
  let end: number | undefined = next;
  for (let left = count * (PARTS.get(kind) ?? 0); left > 0 && end !== undefined; left -= 1) end = frameEnd(data, end);
  return end;
}
