#!/usr/bin/env node
import process from 'node:process';
import { changeAdmins } from './cli/admin.ts';
import type { Command } from './cli/command.ts';
import { tryLimits } from './cli/limits.ts';
import { migrateDatabase } from './cli/migrate.ts';
import { partitionMessages } from './cli/partition.ts';
import { seedDatabase } from './cli/seed.ts';

const COMMANDS: Readonly<Record<string, Command>> = {
  migrate: migrateDatabase,
  seed: seedDatabase,
  admin: changeAdmins,
  limits: tryLimits,
  partition: partitionMessages,
};

const USAGE = `Usage: rookery <command>

Commands:
  migrate                 bring the database of DATABASE_URL, or the embedded one in DATA_DIR, up to date
  seed                    fill it with people, conversations and messages, to try things on (rookery seed --help)
  admin grant <handle>    make a user an administrator of the whole server, also while it runs
  admin revoke <handle>   make an administrator a user like any other
  limits simulate --policy <file> --traffic <log>
                          tell who would have been refused, had other limits held while LIMITS_LOG was written
  partition <count>       spread messages over so many partitions, by conversation, while no server runs (docs/scale.md)
`;

const [name = '', ...words] = process.argv.slice(2);
try {
  process.exitCode = await main(name, words);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** Returns the exit code. */
async function main(name: string, words: readonly string[]): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const code = await command?.(words, { write: (line) => process.stdout.write(`${line}\n`), environment: process.env });
  if (code !== undefined && code !== 'USAGE') return code;
  process.stderr.write(USAGE);
  return 1;
}
