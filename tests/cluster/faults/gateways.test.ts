import { killGateway, pauseGateway, rollingRestart } from './gateways.ts';
import { haproxyReload } from './haproxy.ts';
import { playShort } from './short-chapters.ts';

playShort('gateways and HAProxy fail', [
  { fault: killGateway },
  { fault: pauseGateway },
  { fault: rollingRestart },
  { fault: haproxyReload },
]);
