import { PARTITIONS_MAX, partitionTable } from '../platform/partition.ts';
import type { DatabaseAddress } from '../platform/postgres.ts';
import { PARTITIONED } from '../schema-files.ts';
import { type Command, openDatabase } from './command.ts';
import { bringUpToDate } from './migrate.ts';

/** `rookery partition 16`. */
export const partitionMessages: Command = async ([count, ...words], { write, environment }) => {
  if (count === undefined || words.length > 0) return 'USAGE';
  const partitions = Number(count);
  if (!/^\d+$/.test(count) || partitions < 2 || partitions > PARTITIONS_MAX)
    throw new Error(`The number of partitions must be 2 to ${PARTITIONS_MAX}, got ${JSON.stringify(count)}.`);
  await using database = await openDatabase(environment);
  await spreadMessages(database.address, partitions, write);
  return 0;
};

/** No server may be running meanwhile: it would find messages locked, and then functions gone for a moment. */
export async function spreadMessages(address: DatabaseAddress, partitions: number, write: (line: string) => void): Promise<void> {
  await bringUpToDate(address, write);
  if (!(await partitionTable({ ...PARTITIONED, address, partitions, log: write }))) {
    write('Messages are partitioned already: nothing has changed.');
    return;
  }
  await bringUpToDate(address, write);
  write(`Messages are spread over ${partitions} partitions.`);
}
