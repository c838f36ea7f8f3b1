import { flappingClients, resetClients, stoppedReaders, vanishingClients } from './clients.ts';
import { playShort } from './short-chapters.ts';

playShort('clients fail', [
  { fault: stoppedReaders },
  { fault: vanishingClients },
  { fault: flappingClients },
  { fault: resetClients },
]);
