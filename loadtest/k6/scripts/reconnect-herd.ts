import { chat, plan, startCrowd } from '../inside/crowd.ts';

export { handleSummary, options } from '../inside/crowd.ts';

/** People talk, then a part of them loses the connection in the same moment: by itself, or since the runner kills a gateway. */
export function run(): void {
  const crowd = startCrowd();
  chat(crowd);
  if (plan.cutAtMs === undefined) return;
  crowd.at(plan.cutAtMs, () => {
    for (const client of crowd.clients.slice(0, Math.ceil(crowd.clients.length * plan.cutPart))) client.drop();
  });
}
