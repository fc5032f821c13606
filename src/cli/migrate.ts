import { migrate } from '../platform/migrate.ts';
import type { DatabaseAddress } from '../platform/postgres.ts';
import { FUNCTION_FILES, MIGRATIONS_DIRECTORY } from '../schema-files.ts';
import { type Command, openDatabase } from './command.ts';

export const migrateDatabase: Command = async (words, { write, environment }) => {
  if (words.length > 0) return 'USAGE';
  await using database = await openDatabase(environment);
  const { applied } = await bringUpToDate(database.address, write);
  if (applied.length === 0) write('Nothing to apply.');
  return 0;
};

export function bringUpToDate(address: DatabaseAddress, log: (line: string) => void): ReturnType<typeof migrate> {
  return migrate({ address, directory: MIGRATIONS_DIRECTORY, functions: FUNCTION_FILES, log });
}
