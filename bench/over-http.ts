import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { openDedicatedConnection } from '../src/platform/dedicated-connection.ts';
import { encodeId } from '../src/platform/id.ts';
import type { DatabaseAddress } from '../src/platform/postgres.ts';
import type { LargeHistory } from '../test/kit/large-history.ts';
import { Person } from '../test/kit/person.ts';
import { addressOf, type Exit, ServerProcess } from '../test/kit/server-process.ts';
import { connectionStringOf } from './connection-string.ts';

const ROUND_MS = 500;
const IN_FLIGHT = 16;
const CONNECTIONS = 10;
const PAGE = 50;
/** So many pages, so many messages apart, so that those who ask at the same time ask for others. */
const DIFFERENT = 32;
const APART = 90;
const START_DEADLINE_MS = 120_000;
const POSTGRAPHILE = fileURLToPath(new URL('postgraphile/', import.meta.url));

const OURS = `query ($id: ID!, $before: Cursor, $authorId: ID) { conversation(id: $id) { messages(last: ${PAGE}, before: $before, filter: { authorId: $authorId }) {
  edges { cursor node { id position body createdAt author { id handle displayName } } } pageInfo { hasPreviousPage startCursor } } } }`;
const THEIRS = `query ($condition: MessageCondition!, $after: Cursor) { allMessages(condition: $condition, orderBy: [SEQUENCE_DESC], first: ${PAGE}, after: $after) {
  edges { cursor node { id position body createdAt userByAuthorId { publicId handle displayName } } } pageInfo { hasNextPage endCursor } } }`;

type Server = { readonly name: string; readonly url: string; readonly pid: number; readonly headers: Readonly<Record<string, string>> };
/** `depths`: one, or those that are asked for in turns. */
type Page = { readonly name: string; readonly depths: readonly number[]; readonly author: 'active' | 'rare' | null };
type Count = { requests: number; failures: number; ms: number; cpuSeconds: number; readonly latencies: number[] };

/**
 * Pages of fifty messages with their authors by HTTP, in turns: by one statement and nothing else, by PostGraphile over the same tables, and by the
 * server as shipped. Each in a process of its own, with as many connections. PostGraphile is installed beside its server when it is not there
 * yet: it is too large for everybody to have it.
 */
export async function measureOverHttp(
  address: DatabaseAddress,
  history: LargeHistory,
  depths: readonly number[],
  seconds: number,
): Promise<readonly string[]> {
  if (!existsSync(`${POSTGRAPHILE}node_modules`))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: POSTGRAPHILE, stdio: 'inherit' });
  await using stack = new AsyncDisposableStack();
  const settings = {
    CONNECTION_STRING: connectionStringOf(address),
    CONNECTIONS: String(CONNECTIONS),
    CONVERSATION: String(history.conversationKey),
    NODE_ENV: 'production',
    GRAPHILE_ENV: 'production',
  };
  const rookery = stack.use(
    await ServerProcess.start({ database: address, environment: { NODE_ENV: 'production', DATABASE_CONNECTIONS: String(CONNECTIONS) } }),
  );
  const person = await join(rookery.url, address, history);
  const servers: readonly Server[] = [
    await start(stack, 'one statement', fileURLToPath(new URL('one-statement.ts', import.meta.url)), settings),
    await start(stack, 'PostGraphile 5', `${POSTGRAPHILE}server.js`, settings),
    {
      name: 'Rookery',
      url: `${rookery.url}/graphql`,
      pid: rookery.pid,
      headers: { Authorization: `Bearer ${person.accessToken}` },
    },
  ];
  // The newest tenth stands in a thread.
  const below = Math.ceil(history.messages / 5);
  const pages: readonly Page[] = [
    ...depths.map((depth) => ({ name: `no filter, depth ${depth}`, depths: [depth], author: null })),
    { name: `${DIFFERENT} different pages`, depths: Array.from({ length: DIFFERENT }, (_, at) => below + at * APART), author: null },
    { name: 'active author, depth 1', depths: [1], author: 'active' },
    { name: 'rare author, depth 1', depths: [1], author: 'rare' },
  ];
  const lines = [
    '',
    `pages of ${PAGE} by HTTP, ${IN_FLIGHT} in flight: a second, of the limit, p50 in ms, processor time of the server for each in ms`,
  ];
  for (const page of pages) {
    const bodies = new Map<Server, readonly string[]>();
    for (const server of servers) {
      const all: string[] = [];
      for (const depth of page.depths) all.push(await bodyOf(server, { ...page, depth }, address, history));
      if (new Set(all).size < all.length) throw new Error(`Different pages must be asked for differently, of ${server.name}.`);
      bodies.set(server, all);
    }
    for (const [server, all] of bodies) for (const body of all) await check(server, body, page.author === 'rare' ? 1 : PAGE);
    const counts = await inTurns(servers, bodies, seconds);
    const [limit = 0] = [...counts.values()].map(perSecond);
    for (const [server, count] of counts) lines.push(rowOf(page, server, count, limit));
  }
  return lines;
}

/** Somebody who signs up, and then is made a member by other means than theirs. */
async function join(url: string, address: DatabaseAddress, { conversationKey, viewerKey }: LargeHistory): Promise<Person> {
  const person = await Person.signUp(url, `reader_${Date.now()}`, 'Reader');
  await using connection = openDedicatedConnection(address);
  await connection.sql`
    INSERT INTO members (conversation_id, user_id, joined_sequence, changed_sequence, xid, changed_at, joined_at, role, changed_kind)
    SELECT m.conversation_id, u.id, m.joined_sequence, m.changed_sequence, m.xid, m.changed_at, m.joined_at, m.role, m.changed_kind
      FROM members m, users u WHERE m.conversation_id = ${conversationKey}::bigint AND m.user_id = ${viewerKey}::bigint AND u.handle = ${person.handle}`;
  return person;
}

async function start(
  stack: AsyncDisposableStack,
  name: string,
  program: string,
  settings: Readonly<Record<string, string>>,
): Promise<Server> {
  const child: ChildProcess = spawn(process.execPath, [program], {
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  stack.defer(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { name, url: `${await addressOf(child, exited, START_DEADLINE_MS)}/graphql`, pid: child.pid ?? 0, headers: {} };
}

/** What is asked of each for the same page, from a bound that was found out before. */
async function bodyOf(
  { name, url, headers }: Server,
  { depth, author }: Pick<Page, 'author'> & { readonly depth: number },
  address: DatabaseAddress,
  history: LargeHistory,
): Promise<string> {
  const authorUuid = author === null ? null : history.authors[author];
  const { conversationKey, conversationUuid, sequenceMax, messages } = history;
  const bound = depth === 1 ? null : Math.round(sequenceMax * (1 - (depth - 1) / messages)) + 1;
  if (name === 'one statement') return JSON.stringify({ before: bound, author: authorUuid });
  if (name === 'Rookery') {
    const id = encodeId('cnv', conversationUuid);
    const position = bound === null ? null : Math.max(1, messages - depth);
    const authorId = authorUuid === null ? null : encodeId('usr', authorUuid);
    let before: string | null = null;
    if (position !== null) {
      const query = `query ($id: ID!, $position: Int!) { conversation(id: $id) { messages(aroundPosition: $position, aroundSize: 1) { pageInfo { startCursor } } } }`;
      const { data } = JSON.parse(await send(url, headers, JSON.stringify({ query, variables: { id, position } })));
      before = data.conversation.messages.pageInfo.startCursor;
    }
    return JSON.stringify({ query: OURS, variables: { id, before, authorId } });
  }
  const condition = {
    conversationId: String(conversationKey),
    ...(authorUuid === null ? {} : { authorId: await keyOf(address, authorUuid) }),
  };
  let after: string | null = null;
  if (bound !== null) {
    // A cursor deep within is only to be had by counting up to there, once.
    const query =
      'query ($condition: MessageCondition!, $offset: Int!) { allMessages(condition: $condition, orderBy: [SEQUENCE_DESC], first: 1, offset: $offset) { pageInfo { endCursor } } }';
    const { data } = JSON.parse(await send(url, headers, JSON.stringify({ query, variables: { condition, offset: depth } })));
    after = data.allMessages.pageInfo.endCursor;
  }
  return JSON.stringify({ query: THEIRS, variables: { condition, after } });
}

async function keyOf(address: DatabaseAddress, uuid: string): Promise<string> {
  await using connection = openDedicatedConnection(address);
  const [row] = await connection.sql<{ id: string }[]>`SELECT id::text AS id FROM users WHERE public_id = ${uuid}::uuid`;
  return row?.id ?? '0';
}

/** What answers with too few messages would be fast for the wrong reason. */
async function check({ name, url, headers }: Server, body: string, least: number): Promise<void> {
  const text = await send(url, headers, body);
  const count = text.split('"body":').length - 1;
  if (count < least) throw new Error(`${name} must answer ${least} messages, got ${count}: ${text.slice(0, 300)}`);
}

async function inTurns(
  servers: readonly Server[],
  bodies: ReadonlyMap<Server, readonly string[]>,
  seconds: number,
): Promise<ReadonlyMap<Server, Count>> {
  const counts = new Map(
    servers.map((server): [Server, Count] => [server, { requests: 0, failures: 0, ms: 0, cpuSeconds: 0, latencies: [] }]),
  );
  // The first of each is to warm up.
  for (let round = 0; round <= Math.ceil((seconds * 1_000) / ROUND_MS); round += 1)
    for (const [server, count] of counts) {
      const all = bodies.get(server) ?? [];
      let next = 0;
      const cpuBefore = cpuSecondsOf(server.pid);
      const startedAt = performance.now();
      const latencies: number[] = [];
      await Promise.all(
        Array.from({ length: IN_FLIGHT }, async () => {
          while (performance.now() - startedAt < ROUND_MS) {
            const sentAt = performance.now();
            try {
              await send(server.url, server.headers, all[next++ % all.length] ?? '');
              latencies.push(performance.now() - sentAt);
            } catch {
              count.failures += 1; // On a machine that others keep busy; told in the end.
            }
          }
        }),
      );
      if (round === 0) continue;
      count.requests += latencies.length;
      count.ms += performance.now() - startedAt;
      count.cpuSeconds += cpuSecondsOf(server.pid) - cpuBefore;
      count.latencies.push(...latencies);
    }
  return counts;
}

/** Of the process alone, not of the database. */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function perSecond({ requests, ms }: Count): number {
  return ms === 0 ? 0 : (requests / ms) * 1_000;
}

function rowOf({ name }: Page, server: Server, count: Count, limit: number): string {
  const rate = perSecond(count);
  const p50 = count.latencies.toSorted((one, other) => one - other)[Math.floor(count.latencies.length / 2)] ?? 0;
  const cpuMs = (count.cpuSeconds * 1_000) / Math.max(1, count.requests);
  const cells = [rate.toFixed(0), (rate / (limit || 1)).toFixed(2), p50.toFixed(1), cpuMs.toFixed(2)];
  if (count.failures > 0) cells.push(`${count.failures} failed`);
  return `${name.padEnd(30)}${server.name.padEnd(18)}${cells.map((cell) => cell.padStart(12)).join('')}`;
}

const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT * 4 });

function send(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      agent,
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(pieces).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`Must be answered, got ${response.statusCode}: ${text.slice(0, 300)}`));
      });
    });
    sent.end(body);
  });
}
