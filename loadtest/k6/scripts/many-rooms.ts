import { chat, startCrowd } from '../inside/crowd.ts';

export { handleSummary, options } from '../inside/crowd.ts';

export function run(): void {
  chat(startCrowd());
}
