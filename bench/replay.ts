// npm run bench:replay -- [--messages 1000000]
//
// Somebody comes back to a conversation in which a million messages were written meanwhile: how fast they are replayed, and whether the
// server's memory stays where it was.

import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { startEmbeddedPostgres } from '../src/platform/embedded-postgres.ts';
import { decodeId } from '../src/platform/id.ts';
import { Person } from '../test/kit/person.ts';
import { type Sample, ServerProcess } from './server-process.ts';

const SAMPLE_INTERVAL_MS = 500;
const MIB = 1024 * 1024;
const FOLLOW = `subscription ($id: ID!, $after: EventCursor) { event: conversationEvents(conversationId: $id, after: $after) {
  __typename sequence previousSequence cursor ... on MessageSent { message { id position body createdAt author { id handle displayName } } }
} }`;

const { values } = parseArgs({ options: { messages: { type: 'string', default: '1000000' } } });
const messages = Number(values.messages);

await using server = await ServerProcess.start([]);
const ada = await Person.signUp(server.url, 'ada', 'Ada');
const { id, cursor, sequence } = await ada.create({ kind: 'CHANNEL', title: 'A year of it' });
process.stdout.write(`writing ${messages} messages …\n`);
await write();

const samples: Sample[] = [await server.sample()];
const sampling = setInterval(
  () =>
    server.sample().then(
      (sample) => samples.push(sample),
      () => {},
    ),
  SAMPLE_INTERVAL_MS,
);
const start = performance.now();
const gaps = await replay();
const seconds = (performance.now() - start) / 1_000;
clearInterval(sampling);
report();

/** In the form in which the functions of the database leave them, in one statement. */
async function write(): Promise<void> {
  await using embedded = await startEmbeddedPostgres({ directory: server.directory, whenServed: 'attach' });
  await using connection = openDedicatedConnection(embedded.address);
  await connection.sql`
    WITH head AS (
      SELECT c.id, c.sequence, c.last_at FROM conversations c WHERE c.public_id = ${decodeId('cnv', id) ?? ''}::uuid FOR NO KEY UPDATE
    ), written AS (
      INSERT INTO messages (conversation_id, sequence, position, xid, author_id, created_at, client_message_id, request_hash, body)
      SELECT h.id, h.sequence + n, n, pg_current_xact_id(), u.id, h.last_at + n * interval '1 microsecond', 'many-' || n, ${randomUUID()}::uuid,
             'Message number ' || n || ', of about the length that people write to each other.'
        FROM head h, users u, generate_series(1, ${messages}::integer) n WHERE u.public_id = ${decodeId('usr', ada.id) ?? ''}::uuid
    )
    UPDATE conversations c SET sequence = h.sequence + ${messages}::integer, message_count = ${messages}::integer, last_xid = pg_current_xact_id(),
           last_at = h.last_at + ${messages}::integer * interval '1 microsecond', last_message_at = h.last_at + ${messages}::integer * interval '1 microsecond'
      FROM head h WHERE c.id = h.id`;
  await connection.sql`ANALYZE`;
}

/** Reads the whole replay; answers how often the chain was broken. */
function replay(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  let last = sequence;
  let broken = 0;
  socket.once('open', () =>
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${ada.accessToken}` } })),
  );
  socket.on('message', (data) => {
    const message = JSON.parse(String(data));
    if (message.type === 'connection_ack') {
      socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: FOLLOW, variables: { id, after: cursor } } }));
      return;
    }
    if (message.type === 'ping') return;
    if (message.type !== 'next') return reject(new Error(`An event must come, got ${String(data)}`));
    const { __typename, sequence: to, previousSequence: from } = message.payload.data.event;
    if (from !== last) broken += 1;
    last = to;
    if (__typename !== 'CaughtUp') return;
    if (last !== sequence + messages) broken += 1;
    socket.close();
    resolve(broken);
  });
  socket.once('close', (code) => reject(new Error(`The socket must stay open, got ${code}.`)));
  return promise;
}

function report(): void {
  const rss = samples.map(({ rssBytes }) => rssBytes / MIB);
  const heap = samples.map(({ heapBytes }) => heapBytes / MIB);
  const quarter = (numbers: readonly number[], part: number) => {
    const slice = numbers.slice(Math.floor((numbers.length * part) / 4), Math.floor((numbers.length * (part + 1)) / 4));
    return Math.round(slice.reduce((sum, number) => sum + number, 0) / Math.max(1, slice.length));
  };
  process.stdout.write(
    [
      `${messages} messages in ${seconds.toFixed(1)} s, ${Math.round(messages / seconds)} events/s, chain broken ${gaps} times`,
      `RSS in MiB, mean of each quarter: ${[0, 1, 2, 3].map((part) => quarter(rss, part)).join(' → ')} (before ${Math.round(rss[0] ?? 0)}, at most ${Math.round(Math.max(...rss))})`,
      `heap in MiB, mean of each quarter: ${[0, 1, 2, 3].map((part) => quarter(heap, part)).join(' → ')}`,
      '',
    ].join('\n'),
  );
  if (gaps > 0) process.exitCode = 1;
}
