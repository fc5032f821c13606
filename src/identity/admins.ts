import type { Clock } from '../platform/clock.ts';
import type { Sql } from '../platform/postgres.ts';
import { setRole } from './store.ts';
import { storedHandle, type UserRole } from './user.ts';

/** For who holds the machine: it makes the first administrator, whom no other could. Running servers notice within about a second. */
export async function changeRole(sql: Sql, clock: Clock, handle: string, role: UserRole): Promise<'CHANGED' | 'UNCHANGED' | 'UNKNOWN'> {
  const stored = storedHandle(handle);
  const before = stored === null ? null : await setRole(sql, stored, role, new Date(clock.now()));
  if (before === null) return 'UNKNOWN';
  return before === role ? 'UNCHANGED' : 'CHANGED';
}
