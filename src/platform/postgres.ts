import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { type BackendKey, cancelUntil } from './cancel-request.ts';
import { DatabaseWatch, DOUBTFUL_MS, GIVEN_LATE_MS } from './database-watch.ts';
import { AppError } from './errors.ts';
import { createSocketFactory } from './postgres-socket.ts';
import { rowsFormOf, textOf } from './statement.ts';
import { createStatementGate } from './statement-gate.ts';
import { parseTimestamp } from './timestamp.ts';

/** One statement. `$n` parameters only; arrays travel as PostgreSQL arrays, bigint columns arrive as numbers. */
type Tag = <Row extends object = Record<string, never>>(
  text: TemplateStringsArray,
  ...values: readonly Parameter[]
) => Promise<readonly Row[]>;

/** An array must hold no nulls: the driver turns them into words. */
export type Parameter = string | number | boolean | null | readonly (string | number)[];

/**
 * How stores speak to the database. The tag itself is for statements that may be run twice (reads, writes with a key, writes that
 * say UNCHANGED): after a lost connection they are tried once more. `once` is for those that may not.
 */
export type Sql = Tag & { readonly once: Tag };

export type DatabaseAddress =
  | { readonly url: string }
  | { readonly host: string; readonly port: number; readonly user: string; readonly database: string };

export type DatabaseOptions = {
  readonly address: DatabaseAddress;
  /** Connections at most. */
  readonly connectionsMax: number;
  /** Statements that wait for a connection at most; one more is OVERLOADED. */
  readonly queueMax: number;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  /** Told of every statement that has ended, for metrics and for tests that count statements. */
  readonly onStatement?: (statement: { readonly text: string; readonly durationMs: number; readonly failed: boolean }) => void;
  /** Told when the database is lost and when it is back. */
  readonly onAway?: (isAway: boolean) => void;
};

export type Database = AsyncDisposable & {
  readonly sql: Sql;
  /**
   * Statements that are broken off when the signal comes, and fail with TIMEOUT then. Only where there is one connection: a request to break
   * off names a connection, not a statement, and another connection's next one could be hit by it.
   */
  readonly cancellable: (signal: AbortSignal) => Sql;
};

/** Codes by which the driver or PostgreSQL say that the connection, not the statement, is at fault; others of the system's tell of their call. */
const CONNECTION_LOST = new Set([
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '25P03',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EPIPE',
  'ENOENT',
]);
const RETRY_AFTER_MS = 1_000;
const END_TIMEOUT_S = 5;
const PROBE_IDLE_S = 10;
const LOST_TIMEOUT_S = 0.2;
const STALE_S = (DOUBTFUL_MS - GIVEN_LATE_MS) / 1_000;
/** When one connection is lost, others may be too, and not know it yet: nobody is told, and so asks again, until they do. */
const LOST_PAUSE_MS = 20;
const COMMON_SETTINGS = {
  onnotice() {},
  // The driver would ask for the array types on each new connection, and if that connection breaks just then, nobody catches it.
  fetch_types: false,
};

/** How statements are planned: once on each connection, and then as if there were much in every table. */
export const PLANNING = {
  // They go by key, whatever the key, and need no other plan for other values.
  plan_cache_mode: 'force_generic_plan',
  // Of a table that is nearly empty all of it is read soonest; but the plan stays, and the table grows.
  enable_seqscan: 'off',
  // Compiling a statement takes far longer than any of them runs.
  jit: 'off',
} as const;

/**
 * The one place that knows the driver. It bounds the queue before the pool (the driver's has no bound), mends results that begin
 * with holes (the driver leaves them after an error in the middle of an earlier result), and tells apart a statement that is wrong
 * from a database that is away. While it is away everything is OVERLOADED at once: what waited is let go together with the driver's
 * connections, which would fail one after the other, and late.
 */
export function connectPostgres(options: DatabaseOptions): Database {
  const name = `rookery-${randomBytes(4).toString('hex')}`;
  let driver = open();
  const probe = createProbe(options.address, name);
  const watch = new DatabaseWatch({
    probe: probe.ask,
    countWorking: probe.countWorking,
    onChange(isAway) {
      options.onAway?.(isAway);
      if (isAway) renew(0);
    },
    onLost: () => renew(LOST_TIMEOUT_S),
  });
  const gate = createStatementGate(options.connectionsMax, options.queueMax);

  function open(): postgres.Sql<{ bigint: number }> {
    const opened = connect(options, name, () => opened === driver && renew(LOST_TIMEOUT_S));
    return opened;
  }

  /** What is under way has so long to end. */
  function renew(timeout: number): void {
    const lost = driver;
    driver = open();
    lost.end({ timeout }).catch(() => {}); // Whoever waited is told by their own statement.
  }

  /** Of a connection that was let go with all others the reason is why they were. */
  const whyLost = (error: unknown): unknown => (watch.away === null ? error : watch.away.reason);

  async function attempt<Row extends object>(
    text: TemplateStringsArray,
    values: readonly Parameter[],
    signal?: AbortSignal,
  ): Promise<readonly Row[]> {
    const release = await gate();
    if (watch.away !== null || signal?.aborted) {
      release();
      throw watch.away?.reason ?? new Cancelled();
    }
    // The driver types parameters by what it can serialise; ours are a subset of that.
    const query = driver<Row[]>(text, ...(values as readonly postgres.ParameterOrFragment<number>[]));
    const end = watch.begin(() => isGiven(query));
    const start = performance.now();
    let failed = true;
    let cancelled: Promise<void> | null = null;
    const { options: driverOptions } = driver;
    const cancel = () => {
      // What the driver's types do not tell: which connection has it.
      cancelled = cancelUntil(query, driverOptions, () => (query as unknown as { readonly state: BackendKey | null }).state);
    };
    signal?.addEventListener('abort', cancel);
    try {
      const rows = await read<Row>(text, query);
      failed = false;
      return rows;
    } catch (error) {
      if (cancelled !== null) throw new Cancelled();
      if (!isConnectionLost(error)) throw error;
      watch.doubt();
      await sleep(LOST_PAUSE_MS);
      throw whyLost(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
      end();
      // Not before it is known that the next statement of this connection will not be hit.
      await cancelled;
      release();
      options.onStatement?.({ text: textOf(text), durationMs: performance.now() - start, failed });
    }
  }

  function sqlUntil(signal?: AbortSignal): Sql {
    const once: Tag = async <Row extends object>(text: TemplateStringsArray, ...values: readonly Parameter[]) => {
      try {
        return await attempt<Row>(text, values, signal);
      } catch (error) {
        throw presentable(error);
      }
    };
    const repeatable: Tag = async <Row extends object>(text: TemplateStringsArray, ...values: readonly Parameter[]) => {
      try {
        return await attempt<Row>(text, values, signal);
      } catch (error) {
        if (!isConnectionLost(error)) throw presentable(error);
        return once<Row>(text, ...values);
      }
    };
    return Object.assign(repeatable, { once });
  }

  return {
    sql: sqlUntil(),
    cancellable(signal) {
      if (options.connectionsMax !== 1) throw new Error('Statements can be broken off only where there is one connection.');
      return sqlUntil(signal);
    },
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]();
      probe.end();
      await driver.end({ timeout: watch.away === null ? END_TIMEOUT_S : 0 });
    },
  };
}

async function read<Row extends object>(text: TemplateStringsArray, query: postgres.PendingQuery<Row[]>): Promise<readonly Row[]> {
  const form = rowsFormOf(text);
  if (form === null) return mend(await query);
  const answer = await query.values();
  const { columns, rowsOf } = form;
  if (answer.columns.length !== columns.length || answer.columns.some(({ name }, index) => name !== columns[index]))
    throw new Error(`A statement must answer the columns ${columns.join(', ')}, got ${answer.columns.map(({ name }) => name).join(', ')}.`);
  // Its form says what its rows are, as `Row` does of others.
  return rowsOf(mend(answer)) as readonly Row[];
}

/** The driver keeps with a query the connection it was given to, of which its types say nothing. */
function isGiven(query: object): boolean {
  return 'state' in query && query.state !== null;
}

type Probe = {
  readonly ask: () => Promise<void>;
  /** Of the connections of this name. */
  readonly countWorking: () => Promise<number>;
  readonly end: () => void;
};

/** Asks small questions, on a connection that is there only while it is needed. */
function createProbe(address: DatabaseAddress, name: string): Probe {
  const open = () => {
    const connection = { application_name: name };
    const settings = {
      ...COMMON_SETTINGS,
      max: 1,
      connect_timeout: 1,
      idle_timeout: PROBE_IDLE_S,
      socket: createSocketFactory(() => renew()),
      connection,
    };
    return 'url' in address ? postgres(address.url, settings) : postgres({ ...settings, ...address });
  };
  let driver = open();
  const renew = () => {
    driver.end({ timeout: 0 }).catch(() => {});
    driver = open();
  };
  let pending: Promise<unknown> | null = null;
  async function answered<Value>(asked: Promise<Value>): Promise<Value> {
    pending = asked;
    try {
      return await asked;
    } finally {
      if (pending === asked) pending = null;
    }
  }
  return {
    async ask() {
      // One that has not been answered is given up: its connection may be the silent one.
      if (pending !== null) renew();
      try {
        await answered(driver`SELECT 1`.execute());
      } catch (error) {
        // Whatever the database says, it is there to say it; save that it starts or stops.
        if (!(error instanceof postgres.PostgresError) || isConnectionLost(error)) throw error;
      }
    },
    async countWorking() {
      // Null unless this very statement is seen: somebody between us may change names, or no account may be kept.
      const [row] = await answered(
        driver<{ working: number | null }[]>`
          SELECT CASE WHEN bool_or(a.pid = pg_backend_pid() AND a.state = 'active') THEN
                   count(*) FILTER (WHERE a.pid <> pg_backend_pid() AND a.state = 'active' AND a.query_start < clock_timestamp() - make_interval(secs => ${STALE_S}::float8))::integer
                 END AS working
            FROM pg_stat_get_activity(NULL) a WHERE a.application_name = ${name}::text`.execute(),
      );
      return row?.working ?? Number.POSITIVE_INFINITY;
    },
    end: () => void driver.end({ timeout: 0 }).catch(() => {}),
  };
}

class Cancelled extends AppError {
  constructor() {
    super('TIMEOUT', 'Broken off, as nobody waits for the answer any more.');
  }
}

/** True when it is unknown whether the statement ran: the connection broke before the answer. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof AppError) return isConnectionLost(error.cause);
  return CONNECTION_LOST.has(sqlState(error)) || (error instanceof Error && 'syscall' in error);
}

/** The five characters of PostgreSQL's error code, the driver's own word, or ''. */
export function sqlState(error: unknown): string {
  if (error instanceof AppError) return sqlState(error.cause);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The name of the violated constraint, or null. */
export function violatedConstraint(error: unknown): string | null {
  return error instanceof postgres.PostgresError ? (error.constraint_name ?? null) : null;
}

function connect({ address, connectionsMax, statementTimeoutMs, lockTimeoutMs }: DatabaseOptions, name: string, onMute: () => void) {
  const settings = {
    max: connectionsMax,
    ...COMMON_SETTINGS,
    connect_timeout: 5,
    socket: createSocketFactory(onMute),
    types: {
      // Keys, sequences and microseconds stay below 2^53.
      bigint: { to: 20, from: [20], parse: Number, serialize: String },
      date: {
        to: 1184,
        from: [1082, 1114, 1184],
        parse: parseTimestamp,
        serialize: (time: string | number) => new Date(time).toISOString(),
      },
      arrays: { to: 1016, from: [1016, 1007, 1009, 2951], parse: (text: string) => text, serialize: arrayLiteral },
      integers: { to: 1007, from: [], parse: (text: string) => text, serialize: arrayLiteral },
      texts: { to: 1009, from: [], parse: (text: string) => text, serialize: arrayLiteral },
      uuids: { to: 2951, from: [], parse: (text: string) => text, serialize: arrayLiteral },
    },
    connection: {
      application_name: name,
      statement_timeout: statementTimeoutMs,
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: statementTimeoutMs,
      ...PLANNING,
      // As times are read soonest.
      TimeZone: 'UTC',
    },
  };
  return 'url' in address ? postgres(address.url, settings) : postgres({ ...settings, ...address });
}

/** An array as PostgreSQL reads it: every element quoted, so that no text is taken for NULL or syntax. */
function arrayLiteral(elements: readonly (string | number)[]): string {
  return `{${elements.map((element) => (typeof element === 'number' ? element : `"${element.replaceAll(/["\\]/g, '\\$&')}"`)).join(',')}}`;
}

/** Holes are undefined elements at the front, left by the driver after an error inside an earlier result on the same connection. */
function mend<Row>(rows: readonly Row[]): readonly Row[] {
  return rows.length > 0 && rows[0] === undefined ? rows.filter((row) => row !== undefined) : rows;
}

function presentable(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const state = sqlState(error);
  if (isConnectionLost(error)) {
    return new AppError('OVERLOADED', 'The database is away for a moment: try again.', { retryAfterMs: RETRY_AFTER_MS }, { cause: error });
  }
  if (state === '57014') return new AppError('TIMEOUT', 'The database took too long: try again, or ask for less.', {}, { cause: error });
  if (state === '55P03' || state === '53300') {
    return new AppError('OVERLOADED', 'The database is busy: try again.', { retryAfterMs: RETRY_AFTER_MS }, { cause: error });
  }
  return error;
}
