import process from 'node:process';
import { startApp } from './app.ts';
import { LimitsFileError } from './config/limits-file.ts';
import { ConfigError, readConfig } from './config.ts';
import { createLogger } from './platform/logger.ts';

await main().catch((error: unknown) => {
  // A setting that is wrong is the reader's to mend: the message says how, a stack would hide it.
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
});

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const logger = createLogger(config.logLevel);
  const app = await startApp({ config, logger });
  process.stdout.write(welcome(app.url));

  process.on('SIGHUP', () => app.reloadLimits());

  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(1); // The second time is meant.
      isStopping = true;
      logger.info({ signal }, 'Stopping');
      app[Symbol.asyncDispose]().then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ err: error }, 'Stopping failed');
          process.exit(1);
        },
      );
    });
  }
}

function explain(error: unknown): string {
  if (error instanceof ConfigError || error instanceof LimitsFileError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function welcome(url: string): string {
  return `\n  Rookery is ready.\n\n  Chat page   ${url}/\n  GraphiQL    ${url}/graphql\n\n`;
}
