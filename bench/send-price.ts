// npm run bench:send-price -- [--rounds 40] [--on embedded,postgres]
//
// What the indexes of histories cost those who send: the same batches into two databases, one of which lacks them, in turns.

import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { messageHash } from '../src/messages/message.ts';
import { sendMessages } from '../src/messages/store.ts';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { connectPostgres } from '../src/platform/postgres.ts';
import { type LargeHistory, writeLargeHistory } from '../test/kit/large-history.ts';
import { createBenchDatabase } from './databases.ts';

const BATCH = 32;
const BATCHES_PER_ROUND = 20;
const MESSAGES = 200_000;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '40' }, on: { type: 'string', default: 'embedded,postgres' } },
});

for (const target of values.on.split(',')) {
  const url = target === 'embedded' ? null : (process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres');
  await using whole = await furnish(url, []);
  await using lacking = await furnish(url, ['messages_list_idx', 'messages_author_idx']);
  const times = { whole: [] as number[], lacking: [] as number[] };
  for (let round = 0; round < Number(values.rounds); round += 1) {
    times.whole.push(await whole.round());
    times.lacking.push(await lacking.round());
  }
  const perSecond = (of: readonly number[]) => Math.round((BATCH * BATCHES_PER_ROUND * 1_000) / median(of));
  const [with_, without] = [perSecond(times.whole), perSecond(times.lacking)];
  // On a server that others use this is their log, too.
  const wal = url === null ? `; ${await whole.walBytesPerMessage()} and ${await lacking.walBytesPerMessage()} bytes of WAL each` : '';
  process.stdout.write(
    `${whole.name}: ${with_} messages a second in batches of ${BATCH}; ${without} without the two indexes: ${(without / with_).toFixed(2)} × as many${wal}\n`,
  );
}

async function furnish(url: string | null, without: readonly string[]) {
  await using stack = new AsyncDisposableStack();
  const place = stack.use(await createBenchDatabase(url));
  let history: LargeHistory;
  {
    await using connection = openDedicatedConnection(place.address);
    history = await writeLargeHistory(connection.sql, MESSAGES);
    // Otherwise the first to send would have all of that to do.
    await connection.sql`SELECT fill_search_blocks(${history.conversationKey}::bigint, 10000000, 9007199254740991)`;
    for (const index of without) await connection.sql.unsafe(`DROP INDEX ${index}`);
    await connection.sql.unsafe('VACUUM ANALYZE');
  }
  const { sql } = stack.use(
    connectPostgres({ address: place.address, connectionsMax: 1, queueMax: 1, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 }),
  );
  const { conversationKey, viewerKey } = history;
  const [begun] = await sql<{ lsn: string }>`SELECT pg_current_wal_lsn()::text AS lsn`;
  let sent = 0;
  const owned = stack.move();
  return {
    name: place.name,
    /** What a message adds to the log that is written before all else, whole pages after checkpoints included. */
    async walBytesPerMessage(): Promise<number> {
      const [row] = await sql<{
        bytes: number;
      }>`SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), ${begun?.lsn ?? '0/0'}::text::pg_lsn)::bigint AS bytes`;
      return Math.round((row?.bytes ?? 0) / Math.max(1, sent));
    },
    async round(): Promise<number> {
      const startedAt = performance.now();
      for (let batch = 0; batch < BATCHES_PER_ROUND; batch += 1) {
        const rows = Array.from({ length: BATCH }, (_, index) => {
          const body = `Message ${index} of ${batch}, as long as most messages are when people talk.`;
          return {
            conversationKey,
            authorKey: viewerKey - (index % 10),
            clientMessageId: randomUUID(),
            requestHash: messageHash(body, 0, 0),
            body,
            replyToSequence: 0,
            threadRootSequence: 0,
            mentionHandles: [],
            mentionsAll: false,
          };
        });
        await sendMessages(sql, rows, true);
        sent += rows.length;
      }
      return performance.now() - startedAt;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function median(of: readonly number[]): number {
  return of.toSorted((one, other) => one - other)[Math.floor(of.length / 2)] ?? 0;
}
