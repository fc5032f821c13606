import { readConfig } from '../config.ts';
import { developmentSecret } from '../platform/development-secret.ts';
import { readSeedOptions, SEED_USAGE } from '../seed/options.ts';
import { describeReport } from '../seed/report.ts';
import { checkMode, seed } from '../seed/seed.ts';
import { type Command, openDatabase } from './command.ts';
import { bringUpToDate } from './migrate.ts';

/** With all settings of the server, as the access token is to work there. */
export const seedDatabase: Command = async (words, { write, environment }) => {
  if (words.includes('--help')) {
    write(SEED_USAGE.trimEnd());
    return 0;
  }
  const options = readSeedOptions(words);
  if (environment['NODE_ENV'] === 'production') checkMode('production', options);
  const config = readConfig(environment);
  await using database = await openDatabase(environment);
  await bringUpToDate(database.address, write);
  const secret = config.secret ?? developmentSecret(config.dataDirectory);
  const report = await seed({ address: database.address, options, config, secret, log: write });
  write(describeReport(report, `http://127.0.0.1:${config.port}`));
  return 0;
};
