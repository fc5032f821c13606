import { readConfig } from '../config.ts';
import { startEmbeddedPostgres } from '../platform/embedded-postgres.ts';
import type { DatabaseAddress } from '../platform/postgres.ts';

export type CommandContext = {
  readonly write: (line: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** Answers the exit code, or USAGE when the words after its name are not what it takes. What it throws is told by its message. */
export type Command = (words: readonly string[], context: CommandContext) => Promise<number | 'USAGE'>;

/** The embedded database is stopped again, unless a running server owns it. The other settings are not read: no secret is needed here. */
export async function openDatabase({
  DATABASE_URL,
  DATA_DIR,
}: CommandContext['environment']): Promise<AsyncDisposable & { readonly address: DatabaseAddress }> {
  const { databaseUrl, dataDirectory } = readConfig({ DATABASE_URL, DATA_DIR });
  if (databaseUrl !== null) return { address: { url: databaseUrl }, async [Symbol.asyncDispose]() {} };
  return startEmbeddedPostgres({ directory: dataDirectory });
}
