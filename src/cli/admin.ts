import { changeRole } from '../identity/admins.ts';
import type { UserRole } from '../identity/user.ts';
import { systemClock } from '../platform/clock.ts';
import { connectPostgres, sqlState } from '../platform/postgres.ts';
import { quoted } from '../platform/text.ts';
import { type Command, openDatabase } from './command.ts';

const STATEMENT_TIMEOUT_MS = 10_000;
/** PostgreSQL knows no such table, or no such column. */
const NOT_MIGRATED = ['42P01', '42703'];

export const changeAdmins: Command = async (words, { write, environment }) => {
  const [action = '', handle = '', ...rest] = words;
  const change = CHANGES.get(action);
  if (change === undefined || handle === '' || rest.length > 0) return 'USAGE';
  await using database = await openDatabase(environment);
  await using connection = connectPostgres({
    address: database.address,
    connectionsMax: 1,
    queueMax: 1,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  const outcome = await changeRole(connection.sql, systemClock, handle, change.role).catch((error: unknown) => {
    if (NOT_MIGRATED.includes(sqlState(error)))
      throw new Error('The database must be up to date first: run "rookery migrate", or start the server.');
    throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
  });
  if (outcome === 'UNKNOWN') throw new Error(`There is no user with the handle ${quoted(handle)}.`);
  write(`${handle.toLowerCase()} ${outcome === 'CHANGED' ? change.done : change.unchanged}.`);
  return 0;
};

type Change = { readonly role: UserRole; readonly done: string; readonly unchanged: string };

const CHANGES: ReadonlyMap<string, Change> = new Map<string, Change>([
  ['grant', { role: 'ADMIN', done: 'is an administrator now', unchanged: 'is an administrator already' }],
  ['revoke', { role: 'USER', done: 'is an administrator no more', unchanged: 'is no administrator' }],
]);
