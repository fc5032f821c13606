import { openDedicatedConnection } from './dedicated-connection.ts';
import type { DatabaseAddress } from './postgres.ts';

/** Any number, as long as it stays the same: "rookery" in bytes. */
const SERVER_LOCK = 0x726f6f6b657279n;

/**
 * Keeps two servers from sharing one embedded directory by accident; null when another holds the lock. PostgreSQL gives it up with the
 * connection, so a crash leaves nothing behind. It is lost, too, when the database restarts: an embedded one tells by `exited`.
 */
export async function acquireServerLock(address: DatabaseAddress): Promise<AsyncDisposable | null> {
  const connection = openDedicatedConnection(address);
  try {
    const [row] = await connection.sql<{ locked: boolean }[]>`SELECT pg_try_advisory_lock(${String(SERVER_LOCK)}::bigint) AS locked`;
    if (row?.locked) return connection;
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
  await connection[Symbol.asyncDispose]();
  return null;
}
