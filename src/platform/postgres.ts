import postgres from 'postgres';
import { type BackendKey, cancelUntil } from './cancel-request.ts';
import { DatabaseWatch } from './database-watch.ts';
import { AppError } from './errors.ts';
import { createSocketFactory } from './postgres-socket.ts';

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
  let driver = connect(options);
  const probe = createProbe(options.address);
  const watch = new DatabaseWatch({
    probe: probe.ask,
    onChange(isAway) {
      options.onAway?.(isAway);
      if (!isAway) return;
      const lost = driver;
      driver = connect(options);
      lost.end({ timeout: 0 }).catch(() => {}); // Whoever waited is told by their own statement.
    },
  });
  const gate = createGate(options.connectionsMax, options.queueMax);

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
    const end = watch.begin();
    const start = performance.now();
    let failed = true;
    let cancelled: Promise<void> | null = null;
    // The driver types parameters by what it can serialise; ours are a subset of that.
    const query = driver<Row[]>(text, ...(values as readonly postgres.ParameterOrFragment<number>[]));
    const { options: driverOptions } = driver;
    const cancel = () => {
      // What the driver's types do not tell: which connection has it.
      cancelled = cancelUntil(query, driverOptions, () => (query as unknown as { readonly state: BackendKey | null }).state);
    };
    signal?.addEventListener('abort', cancel);
    try {
      const rows = await query;
      failed = false;
      return mend(rows);
    } catch (error) {
      if (cancelled !== null) throw new Cancelled();
      if (!isConnectionLost(error)) throw error;
      watch.doubt();
      throw whyLost(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
      end();
      // Not before it is known that the next statement of this connection will not be hit.
      await cancelled;
      release();
      options.onStatement?.({ text: text.join('?'), durationMs: performance.now() - start, failed });
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

/** Asks the smallest question there is, on a connection that is there only while it is needed. */
function createProbe(address: DatabaseAddress): { readonly ask: () => Promise<void>; readonly end: () => void } {
  const open = () => {
    const settings = { ...COMMON_SETTINGS, max: 1, connect_timeout: 1, idle_timeout: PROBE_IDLE_S, socket: createSocketFactory() };
    return 'url' in address ? postgres(address.url, settings) : postgres({ ...settings, ...address });
  };
  let driver = open();
  const renew = () => {
    driver.end({ timeout: 0 }).catch(() => {});
    driver = open();
  };
  let pending: Promise<unknown> | null = null;
  return {
    async ask() {
      // One that has not been answered is given up: its connection may be the silent one.
      if (pending !== null) renew();
      const asked = driver`SELECT 1`.execute();
      pending = asked;
      try {
        await asked;
      } catch (error) {
        // Whatever the database says, it is there to say it; save that it starts or stops.
        if (!(error instanceof postgres.PostgresError) || isConnectionLost(error)) throw error;
      } finally {
        if (pending === asked) pending = null;
      }
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

function connect({ address, connectionsMax, statementTimeoutMs, lockTimeoutMs }: DatabaseOptions) {
  const settings = {
    max: connectionsMax,
    ...COMMON_SETTINGS,
    connect_timeout: 5,
    socket: createSocketFactory(),
    types: {
      // Keys, sequences and microseconds stay below 2^53.
      bigint: { to: 20, from: [20], parse: Number, serialize: String },
      arrays: { to: 1016, from: [1016, 1007, 1009, 2951], parse: (text: string) => text, serialize: arrayLiteral },
      integers: { to: 1007, from: [], parse: (text: string) => text, serialize: arrayLiteral },
      texts: { to: 1009, from: [], parse: (text: string) => text, serialize: arrayLiteral },
      uuids: { to: 2951, from: [], parse: (text: string) => text, serialize: arrayLiteral },
    },
    connection: {
      application_name: 'rookery',
      statement_timeout: statementTimeoutMs,
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: statementTimeoutMs,
      ...PLANNING,
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

/** A semaphore with a bounded queue: resolves to a function that gives the place back. */
function createGate(placesMax: number, queueMax: number): () => Promise<() => void> {
  let taken = 0;
  const waiting: (() => void)[] = [];
  const release = () => {
    const next = waiting.shift();
    if (next === undefined) taken -= 1;
    else next();
  };
  return async () => {
    if (taken < placesMax) {
      taken += 1;
    } else if (waiting.length < queueMax) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      throw new AppError('OVERLOADED', `The database has ${queueMax} statements waiting: try again.`, { retryAfterMs: RETRY_AFTER_MS });
    }
    return release;
  };
}
