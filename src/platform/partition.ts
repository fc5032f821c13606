import type postgres from 'postgres';
import { openDedicatedConnection } from './dedicated-connection.ts';
import type { DatabaseAddress } from './postgres.ts';

export type PartitionOptions = {
  readonly address: DatabaseAddress;
  readonly table: string;
  /** What the rows are spread by: part of every unique constraint. */
  readonly column: string;
  readonly partitions: number;
  /** Those of ours that read the table. They go with all that uses them, and come back when functions are applied. */
  readonly views: readonly string[];
  readonly log?: (line: string) => void;
};

export const PARTITIONS_MAX = 1_024;

/**
 * Turns a table into one that is hash-partitioned, with all its rows, constraints, indexes, triggers and settings, in one transaction during
 * which nobody else can use it. False when it is partitioned already. What else depends on it stops the whole with its name, and nothing has
 * changed then. Rights that were granted on the table are not given again.
 *
 * Functions are to be applied anew afterwards, by `migrate`: until then a server that starts does it.
 */
export async function partitionTable({ address, table, column, partitions, views, log = () => {} }: PartitionOptions): Promise<boolean> {
  await using connection = openDedicatedConnection(address);
  const { sql } = connection;
  // In plain words, and never tried again: a connection that is lost takes the transaction with it.
  await sql.unsafe(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  try {
    const known = await describe(sql, table);
    if (known.isPartitioned) {
      await sql.unsafe('ROLLBACK');
      return false;
    }
    for (const view of views) await sql.unsafe(`DROP VIEW IF EXISTS ${view} CASCADE`);
    for (const { name, of } of known.references) await sql.unsafe(`ALTER TABLE ${of} DROP CONSTRAINT ${name}`);
    await sql.unsafe(`
      ALTER TABLE ${table} RENAME TO ${table}_whole;
      CREATE TABLE ${table} (LIKE ${table}_whole INCLUDING ALL EXCLUDING INDEXES) PARTITION BY HASH (${column})`);
    const settings = known.settings === '' ? '' : ` WITH (${known.settings})`;
    for (let part = 0; part < partitions; part += 1)
      await sql.unsafe(
        `CREATE TABLE ${table}_p${part} PARTITION OF ${table} FOR VALUES WITH (MODULUS ${partitions}, REMAINDER ${part})${settings}`,
      );
    log(`Copying the rows of ${table} into ${partitions} partitions …`);
    await sql.unsafe(`INSERT INTO ${table} SELECT * FROM ${table}_whole; DROP TABLE ${table}_whole`);
    log('Building its indexes and constraints …');
    for (const { name, of, definition } of [...known.keys, ...known.references])
      await sql.unsafe(`ALTER TABLE ${of} ADD CONSTRAINT ${name} ${definition}`);
    for (const statement of [...known.indexes, ...known.triggers]) await sql.unsafe(statement);
    await sql.unsafe('DELETE FROM rookery_functions; COMMIT');
    await sql.unsafe(`ANALYZE ${table}`);
    return true;
  } catch (error) {
    await sql.unsafe('ROLLBACK').catch(() => {}); // Gone with the connection, if that is gone.
    throw error;
  }
}

type Constraint = { readonly name: string; readonly of: string; readonly definition: string };

/** What is to be made again, in words that PostgreSQL has for it. */
async function describe(sql: postgres.Sql, table: string) {
  const [relation] = await sql<{ isPartitioned: boolean; settings: string }[]>`
    SELECT c.relkind = 'p' AS "isPartitioned", coalesce(array_to_string(c.reloptions, ', '), '') AS settings FROM pg_class c WHERE c.oid = ${table}::text::regclass`;
  const constraints = await sql<(Constraint & { isKey: boolean })[]>`
    SELECT quote_ident(c.conname) AS name, c.conrelid::regclass::text AS of, pg_get_constraintdef(c.oid) AS definition, c.contype IN ('p', 'u') AS "isKey"
      FROM pg_constraint c
     WHERE c.conrelid = ${table}::text::regclass AND c.contype IN ('p', 'u', 'f') OR c.confrelid = ${table}::text::regclass ORDER BY c.contype DESC, c.conname`;
  const indexes = await sql<{ definition: string }[]>`
    SELECT pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
     WHERE i.indrelid = ${table}::text::regclass AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = i.indrelid) ORDER BY 1`;
  const triggers = await sql<{ definition: string }[]>`
    SELECT pg_get_triggerdef(t.oid) AS definition FROM pg_trigger t WHERE t.tgrelid = ${table}::text::regclass AND NOT t.tgisinternal ORDER BY 1`;
  return {
    isPartitioned: relation?.isPartitioned === true,
    settings: relation?.settings ?? '',
    keys: constraints.filter(({ isKey }) => isKey),
    references: constraints.filter(({ isKey }) => !isKey),
    indexes: indexes.map(({ definition }) => definition),
    triggers: triggers.map(({ definition }) => definition),
  };
}
