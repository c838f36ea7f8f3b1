import { createGateway, type Gateway } from './app.ts';
import { ConfigError, readConfig, type Config } from './config.ts';
import { createLog, type Log } from './platform/log.ts';

// The one file that knows of the process: environment, signals, exit code.

/** A stop that takes longer than the drain and this is cut off, ms. */
const STOP_DEADLINE_MS = 20_000;

const config = configure();
const log = createLog({ level: config.LOG_LEVEL, name: config.GATEWAY_NAME });
void run(config, log);

function configure(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

async function run(config: Config, log: Log): Promise<void> {
  const starting = new AbortController();
  let gateway: Gateway | undefined;
  let stopping = false;

  async function stop(reason: string, exitCode: number): Promise<void> {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, 'stopping');
    starting.abort(new Error(reason));
    setTimeout(() => {
      log.error('not stopped in time, leaving');
      process.exit(1);
    }, config.limits.DRAIN_MS + STOP_DEADLINE_MS).unref();
    await gateway?.stop();
    log.info('stopped');
    process.exit(exitCode);
  }

  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  // A state that nobody foresaw is not one to go on from: tell, drain, leave; whoever runs us starts a fresh process.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    void stop('uncaught exception', 1);
  });

  try {
    gateway = await createGateway(config, log, starting.signal);
  } catch (error) {
    if (starting.signal.aborted) process.exit(0);
    log.fatal({ err: error }, 'could not start');
    process.exit(1);
  }
}
