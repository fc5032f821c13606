import type postgres from 'postgres';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import type { DatabaseAddress } from '../src/platform/postgres.ts';
import type { LargeHistory } from '../test/kit/large-history.ts';

const ROUNDS = 5;
/** What takes longer is told as that. */
const TIMEOUT_MS = 20_000;

/**
 * The same pages as an application reads them that numbers its pages, or has the indexes that one thinks of first: on author, and on time. The
 * primary key is there in any case.
 */
export async function measureOtherWays(
  address: DatabaseAddress,
  history: LargeHistory,
  depths: readonly number[],
): Promise<readonly string[]> {
  await using connection = openDedicatedConnection(address);
  const { sql } = connection;
  const { conversationKey: key, authors, sequenceMax, messages } = history;
  const list = `SELECT m.*, u.handle FROM messages m JOIN users u ON u.id = m.author_id WHERE m.conversation_id = ${key} AND m.thread_root IS NULL`;
  const by = (author: string) => `AND m.author_id = (SELECT id FROM users WHERE public_id = '${author}')`;
  const filters: readonly (readonly [string, string])[] = [
    ['no filter', ''],
    ['active author', by(authors.active)],
    ['rare author', by(authors.rare)],
    ['silent author', by(authors.silent)],
    ['with reactions', 'AND m.reactions IS NOT NULL'],
    ['pinned', 'AND m.pinned_at IS NOT NULL'],
  ];
  const lines: string[] = [];
  async function measure(title: string, statement: (condition: string, depth: number) => string): Promise<void> {
    lines.push(
      '',
      rowOf(
        title,
        depths.map((depth) => `depth ${depth}`),
      ),
    );
    for (const [name, condition] of filters) {
      const cells: string[] = [];
      for (const depth of depths) cells.push(await p50(sql, statement(condition, depth)));
      lines.push(rowOf(name, cells));
    }
  }
  // Everything of this is undone.
  await sql.unsafe('BEGIN; SET LOCAL jit = off; DROP INDEX messages_list_idx, messages_author_idx');
  await sql.unsafe(`
    CREATE INDEX naive_author_idx ON messages (author_id);
    CREATE INDEX naive_time_idx ON messages (conversation_id, created_at);
    ANALYZE messages;
    SET LOCAL statement_timeout = ${TIMEOUT_MS}`);
  await measure('by OFFSET: p50, ms', (condition, depth) => `${list} ${condition} ORDER BY m.sequence DESC OFFSET ${depth - 1} LIMIT 51`);
  await measure('by indexes on author and on time: p50, ms', (condition, depth) => {
    const bound = Math.round(sequenceMax * (1 - (depth - 1) / messages)) + 1;
    return `${list} ${condition} AND m.sequence < ${bound} ORDER BY m.sequence DESC LIMIT 51`;
  });
  await sql.unsafe('ROLLBACK');
  return lines;
}

function rowOf(title: string, cells: readonly string[]): string {
  return `${title.padEnd(48)}${cells.map((cell) => cell.padStart(26)).join('')}`;
}

async function p50(sql: postgres.Sql, statement: string): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await sql.unsafe('SAVEPOINT before');
    const startedAt = performance.now();
    try {
      await sql.unsafe(statement);
    } catch {
      await sql.unsafe('ROLLBACK TO before');
      return `> ${TIMEOUT_MS}`;
    }
    times.push(performance.now() - startedAt);
  }
  return (times.toSorted((one, other) => one - other)[Math.floor(ROUNDS / 2)] ?? 0).toFixed(1);
}
