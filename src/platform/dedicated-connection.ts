import postgres from 'postgres';
import type { DatabaseAddress } from './postgres.ts';
import { createSocketFactory } from './postgres-socket.ts';

/** One connection outside the request path, with its own state: advisory locks, transactions in plain words. */
export type DedicatedConnection = AsyncDisposable & { readonly sql: postgres.Sql };

const CONNECT_TIMEOUT_S = 5;
const END_TIMEOUT_S = 5;

/**
 * Never given up while idle, and never renewed by age, as both would lose what the session holds. A connection that breaks is made
 * anew by the driver at the next statement, without its locks. Statements have no time limit here.
 */
export function openDedicatedConnection(address: DatabaseAddress, lockTimeoutMs = 0): DedicatedConnection {
  const settings = {
    max: 1,
    max_lifetime: null,
    connect_timeout: CONNECT_TIMEOUT_S,
    fetch_types: false,
    socket: createSocketFactory(),
    onnotice() {},
    connection: { application_name: 'rookery', statement_timeout: 0, lock_timeout: lockTimeoutMs },
  };
  const sql = 'url' in address ? postgres(address.url, settings) : postgres({ ...settings, ...address });
  return {
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: END_TIMEOUT_S });
    },
  };
}
