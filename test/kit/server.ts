import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, type PresenceTimes, startApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { readEpoch } from '../../src/events/resume-changes.ts';
import type { Clock } from '../../src/platform/clock.ts';
import { createLogger, type Logger } from '../../src/platform/logger.ts';
import { connectPostgres } from '../../src/platform/postgres.ts';
import type { LimitPolicies } from '../../src/platform/rate-limit-policies.ts';
import { redisPrefix } from '../../src/platform/redis-prefix.ts';
import type { Limits } from '../../src/server/limits.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { type GraphQLResult, type HttpOptions, post } from './http.ts';
import { GENEROUS_POLICIES } from './limits/policies.ts';
import { type Person, signUpAll } from './person.ts';

export type TestServerOptions = {
  readonly database?: TestDatabase;
  readonly clock?: Clock;
  readonly config?: Partial<Config>;
  readonly logger?: Logger;
  readonly presenceTimes?: Partial<PresenceTimes>;
  /** By default more than anybody needs: tests make many people and send fast. */
  readonly limitPolicies?: LimitPolicies;
  readonly limits?: Partial<Limits>;
};

/** What no request asks for: the checks of the hub and of who is connected, what follows changes of presence, and the search index put in order. */
const BY_THE_CLOCK = ['pg_snapshot_xmin', 'x.kind <> 3', 'connected.*', 'gin_clean_pending_list'];

/** A whole server on a free port, with a database of its own. */
export class TestServer implements AsyncDisposable {
  readonly app: App;
  readonly database: TestDatabase;
  /** The texts of all statements since the start. */
  readonly statements: string[];
  readonly #ownsDatabase: boolean;
  readonly #directory: string;
  #people = 0;

  private constructor(app: App, database: TestDatabase, ownsDatabase: boolean, directory: string, statements: string[]) {
    this.app = app;
    this.database = database;
    this.#ownsDatabase = ownsDatabase;
    this.#directory = directory;
    this.statements = statements;
  }

  static async start({
    database,
    clock,
    config = {},
    presenceTimes = {},
    limitPolicies = GENEROUS_POLICIES,
    limits = {},
    logger = createLogger('silent'),
  }: TestServerOptions = {}): Promise<TestServer> {
    const directory = mkdtempSync(join(tmpdir(), 'rookery-server-'));
    const own = database ?? (await createTestDatabase());
    const statements: string[] = [];
    const app = await startApp({
      config: { ...readConfig({ PORT: '0', DATA_DIR: directory, LOG_LEVEL: 'silent' }), ...config },
      logger,
      databaseAddress: own.address,
      presenceTimes,
      limitPolicies: () => limitPolicies,
      limits,
      onStatement: (text) => statements.push(text),
      ...(clock === undefined ? {} : { clock }),
    });
    return new TestServer(app, own, database === undefined, directory, statements);
  }

  get url(): string {
    return this.app.url;
  }

  /** People who have just signed up, each by a name nobody else has. */
  async people<const Names extends readonly string[]>(...names: Names): Promise<{ readonly [Index in keyof Names]: Person }> {
    return signUpAll(this.url, names, () => ++this.#people);
  }

  async anonymous<Data = Record<string, unknown>>(query: string, options: HttpOptions = {}): Promise<GraphQLResult<Data>> {
    return (await post<Data>(this.url, query, options)).body;
  }

  /** How many statements an action runs, without those that run by themselves: the hub's checks, and whom to tell of presence. */
  async countStatements(action: () => Promise<unknown>): Promise<number> {
    const before = this.statements.length;
    await action();
    return this.statements.slice(before).filter((text) => !BY_THE_CLOCK.some((part) => text.includes(part))).length;
  }

  /** What the names begin with that servers on this database keep in Redis, for tests that delete them in the end. */
  async redisPrefix(): Promise<string> {
    await using database = connectPostgres({
      address: this.database.address,
      connectionsMax: 1,
      queueMax: 1,
      statementTimeoutMs: 10_000,
      lockTimeoutMs: 10_000,
    });
    return redisPrefix(await readEpoch(database.sql));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app[Symbol.asyncDispose]();
    if (this.#ownsDatabase) await this.database[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export function startTestServer(options?: TestServerOptions): Promise<TestServer> {
  return TestServer.start(options);
}
