import { postgresCut, postgresFast, postgresImmediate, postgresSlow } from './postgres.ts';
import { playShort } from './short-chapters.ts';

playShort('PostgreSQL fails', [
  { fault: postgresFast },
  { fault: postgresImmediate },
  { fault: postgresCut },
  { fault: postgresSlow },
]);
