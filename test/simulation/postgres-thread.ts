import { setTimeout as sleep } from 'node:timers/promises';
import { type MessagePort, workerData } from 'node:worker_threads';
import { connectPostgres, type Database, type DatabaseAddress, type Parameter, sqlState } from '../../src/platform/postgres.ts';

/** What the thread of the connections is told. Nothing is answered but to `settle`, which waits until nothing more happens by itself. */
export type Order =
  | {
      readonly do: 'run';
      readonly session: number;
      readonly begins: boolean;
      readonly text: readonly string[];
      readonly values: readonly Parameter[];
    }
  | { readonly do: 'cancel'; readonly session: number }
  | { readonly do: 'settle' }
  | { readonly do: 'end' };

export type Settled =
  | { readonly session: number; readonly rows: readonly object[] }
  | { readonly session: number; readonly failure: { readonly code: string; readonly message: string } };

export type ThreadData = {
  readonly port: MessagePort;
  /** Counts the answers: who asks sleeps on it. */
  readonly answers: Int32Array;
  readonly address: DatabaseAddress;
};

type Session = { readonly database: Database; readonly pid: number; running: Promise<void> | null };

const { port, answers, address } = workerData as ThreadData;
const LIMITS = { connectionsMax: 1, queueMax: 4, statementTimeoutMs: 120_000, lockTimeoutMs: 120_000 };
const sessions = new Map<number, Promise<Session>>();
let settled: Settled[] = [];
let orders: Promise<void> = Promise.resolve();
const monitor = open();

// One order after the other; only statements go on meanwhile.
port.on('message', (order: Order) => {
  orders = orders.then(() => follow(order));
});

async function follow(order: Order): Promise<void> {
  switch (order.do) {
    case 'run': {
      let opened = sessions.get(order.session);
      if (opened === undefined) {
        opened = open();
        sessions.set(order.session, opened);
      }
      const session = await opened;
      session.running = run(session, order);
      break;
    }
    case 'cancel': {
      const { pid } = await (sessions.get(order.session) ?? monitor);
      await (await monitor).database.sql`SELECT pg_cancel_backend(${pid}::integer)`;
      break;
    }
    case 'settle':
      await untilQuiet();
      port.postMessage(settled);
      settled = [];
      Atomics.add(answers, 0, 1);
      Atomics.notify(answers, 0);
      break;
    case 'end':
      for (const session of [monitor, ...sessions.values()]) await (await session).database[Symbol.asyncDispose]();
      port.close();
      break;
  }
}

async function open(): Promise<Session> {
  const database = connectPostgres({ address, ...LIMITS });
  const [row] = await database.sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`;
  return { database, pid: row?.pid ?? 0, running: null };
}

async function run(session: Session, { session: number, begins, text, values }: Extract<Order, { readonly do: 'run' }>): Promise<void> {
  try {
    if (begins) await session.database.sql`BEGIN`;
    const rows = await session.database.sql.once<object>(Object.assign([...text], { raw: text }), ...values);
    settled.push({ session: number, rows: [...rows] });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    settled.push({ session: number, failure: { code: sqlState(error), message } });
  }
  session.running = null;
}

/** Every statement has been answered or waits for a lock that another session holds. */
async function untilQuiet(): Promise<void> {
  for (;;) {
    const running = (await Promise.all(sessions.values())).filter(({ running: statement }) => statement !== null);
    if (running.length === 0) return;
    const isQuiet = await Promise.race([
      Promise.all(running.map(({ running: statement }) => statement)).then(() => true),
      sleep(PATIENCE_MS),
    ]);
    if (isQuiet === true) continue;
    const pids = running.map(({ pid }) => pid);
    const { sql } = (await monitor).database;
    const rows = await sql<{ pid: number }>`
      SELECT p.pid FROM unnest(${pids}::integer[]) p (pid) WHERE cardinality(pg_blocking_pids(p.pid)) > 0`;
    const waiting = new Set(rows.map(({ pid }) => pid));
    if (
      running.every((session) => session.running === null || waiting.has(session.pid)) &&
      running.some((session) => session.running !== null)
    )
      return;
  }
}

/** Before PostgreSQL is asked who waits for whom. */
const PATIENCE_MS = 4;
