import { openDedicatedConnection } from './dedicated-connection.ts';
import type { DatabaseAddress } from './postgres.ts';

/** Without any one of these a change that was acknowledged may be gone after a crash. */
const REQUIRED = ['fsync', 'full_page_writes', 'synchronous_commit'] as const;

export type DurabilitySettings = Readonly<Record<(typeof REQUIRED)[number], string>>;

/** Throws when the database, as this address sees it, may forget what it has confirmed. */
export async function checkDurability(address: DatabaseAddress): Promise<void> {
  await using connection = openDedicatedConnection(address);
  const [settings] = await connection.sql<DurabilitySettings[]>`
    SELECT current_setting('fsync') AS fsync,
           current_setting('full_page_writes') AS full_page_writes,
           current_setting('synchronous_commit') AS synchronous_commit`;
  if (settings !== undefined) requireDurability(settings);
}

/** `synchronous_commit` has shades, all of which but `off` wait for the disk of the primary. */
export function requireDurability(settings: DurabilitySettings): void {
  const off = REQUIRED.filter((name) => settings[name] === 'off');
  if (off.length > 0) throw new Error(`PostgreSQL must keep what it confirms, but has ${off.map((name) => `${name} = off`).join(', ')}.`);
}
