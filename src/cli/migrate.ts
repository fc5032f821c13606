import { migrate } from '../platform/migrate.ts';
import { FUNCTION_FILES, MIGRATIONS_DIRECTORY } from '../schema-files.ts';
import { type Command, openDatabase } from './command.ts';

export const migrateDatabase: Command = async (words, { write, environment }) => {
  if (words.length > 0) return 'USAGE';
  await using database = await openDatabase(environment);
  const { applied } = await migrate({ address: database.address, directory: MIGRATIONS_DIRECTORY, functions: FUNCTION_FILES, log: write });
  if (applied.length === 0) write('Nothing to apply.');
  return 0;
};
