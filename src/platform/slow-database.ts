import { AppError } from './errors.ts';
import { createLanes } from './lanes.ts';
import { connectPostgres, type Database, type DatabaseOptions, type Parameter, type Sql } from './postgres.ts';

/** How to run statements that may take long. They are broken off when the signal comes. */
export type SlowSql = (signal: AbortSignal | undefined) => Sql;

export type SlowDatabase = AsyncDisposable & { readonly sql: SlowSql };

type Lane = Pick<Database, 'cancellable'>;

/**
 * Connections for open-ended statements, so that those which take milliseconds never wait behind them. Each takes one statement at a time,
 * which alone makes it safe to break one off. Who waits for a connection is let go when the signal comes; beyond `queueMax` it is OVERLOADED.
 */
export function connectSlowPostgres({ connectionsMax, queueMax, ...options }: DatabaseOptions): SlowDatabase {
  const databases = Array.from({ length: connectionsMax }, () => connectPostgres({ ...options, connectionsMax: 1, queueMax: 0 }));
  const { take, release } = createLanes<Lane>(databases, queueMax);

  /** Runs on a connection that nobody else has meanwhile. */
  async function run<Result>(signal: AbortSignal, statement: (sql: Sql) => Promise<Result>): Promise<Result> {
    const lane = await take(signal).catch((error: unknown) => {
      throw signal.aborted ? new AppError('TIMEOUT', 'Broken off, as nobody waits for the answer any more.') : error;
    });
    try {
      return await statement(lane.cancellable(signal));
    } finally {
      release(lane);
    }
  }

  const never = new AbortController().signal;
  return {
    sql(signal = never) {
      return Object.assign(
        <Row extends object>(text: TemplateStringsArray, ...values: readonly Parameter[]) =>
          run(signal, (sql) => sql<Row>(text, ...values)),
        {
          once: <Row extends object>(text: TemplateStringsArray, ...values: readonly Parameter[]) =>
            run(signal, (sql) => sql.once<Row>(text, ...values)),
        },
      );
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(databases.map((database) => database[Symbol.asyncDispose]()));
    },
  };
}
