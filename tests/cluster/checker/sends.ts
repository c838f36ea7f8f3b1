import type { Anomaly } from './anomalies.ts';
import type { ClientRecord, Send, Truth } from './record.ts';

/**
 * Guarantee 4: what one socket sends to one room gets its `seq` in the order it was sent. Only messages that were sent
 * once are compared: of another one nobody can say which of its sends was stored.
 */
export function checkSends(clients: readonly ClientRecord[], truth: Truth): Anomaly[] {
  const found: Anomaly[] = [];
  const seqOf = new Map<string, number>();
  for (const [roomId, { messages }] of truth) {
    for (const { senderId, clientMsgId, seq } of messages) seqOf.set(`${roomId} ${senderId} ${clientMsgId}`, seq);
  }
  for (const client of clients) {
    const times = new Map<string, number>();
    const keyOf = ({ roomId, clientMsgId }: Send): string => `${roomId} ${client.userId} ${clientMsgId}`;
    for (const { sends } of client.sessions)
      for (const send of sends) times.set(keyOf(send), (times.get(keyOf(send)) ?? 0) + 1);
    for (const { sends } of client.sessions) {
      const sentOnce = sends.filter((send) => times.get(keyOf(send)) === 1 && send.isFirst);
      for (const [roomId, ofRoom] of Map.groupBy(sentOnce, (send) => send.roomId)) {
        let before: { seq: number; burst: number } | undefined;
        for (const send of ofRoom) {
          const seq = seqOf.get(keyOf(send));
          if (seq === undefined) continue;
          if (before && seq < before.seq) {
            const name = send.burst === before.burst ? 'int-send-skip' : 'nonmonotonic-send';
            const detail = `${send.clientMsgId} is ${seq}, what was sent before it is ${before.seq}`;
            found.push({ name, log: 'seq', roomId, client: client.name, detail });
          }
          before = { seq, burst: send.burst };
        }
      }
    }
  }
  return found;
}
