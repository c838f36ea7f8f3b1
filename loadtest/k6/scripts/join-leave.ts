import type { Client } from '../inside/client.ts';
import { chat, plan, startCrowd } from '../inside/crowd.ts';

export { handleSummary, options } from '../inside/crowd.ts';

/** Every second client stays and talks; the others leave their room and come back, again and again. */
export function run(): void {
  const crowd = startCrowd();
  const visitors = crowd.clients.filter((_, index) => index % 2 === 1);
  const isVisitor = new Set<Client>(visitors);
  const moving = new Set<Client>();
  chat(crowd, (client) => !isVisitor.has(client));

  let turn = 0;
  crowd.atRate((plan.actions * plan.clients) / 2, () => {
    turn += 1;
    const visitor = visitors[turn % visitors.length];
    const [room] = visitor?.rooms ?? [];
    if (visitor === undefined || room === undefined || !visitor.isHearing || moving.has(visitor)) return;
    moving.add(visitor);
    const begin = Date.now();
    const done = (): void => {
      crowd.recorder.time('request', Date.now() - begin);
      moving.delete(visitor);
    };
    if (!room.hears) return visitor.join(room, done);
    visitor.request('room:leave', { roomId: room.id }, () => {
      // After this answer nothing more may come (guarantee 6).
      room.hears = false;
      done();
    });
  });
  crowd.at(plan.stopAtMs, () => moving.clear());
}
