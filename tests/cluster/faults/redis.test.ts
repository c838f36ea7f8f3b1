import {
  redisAway,
  redisCutOff,
  redisFreeze,
  redisLosses,
  redisPause,
  redisRestart,
  redisSubscribersCut,
} from './redis.ts';
import { heardWithinTenSeconds as expect, playShort } from './short-chapters.ts';

playShort('Redis fails', [
  { fault: redisRestart, expect },
  { fault: redisAway, expect },
  { fault: redisCutOff, expect },
  { fault: redisSubscribersCut, expect },
  { fault: redisPause, expect },
  { fault: redisFreeze, expect },
  { fault: redisLosses, expect },
]);
