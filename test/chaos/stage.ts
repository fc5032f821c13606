import { OwnPostgres } from '../kit/own-postgres.ts';
import { startProxy, type TestProxy } from '../kit/proxy.ts';
import { type OwnRedis, startOwnRedis } from '../kit/redis.ts';
import { ServerProcess } from '../kit/server-process.ts';
import type { Place } from '../proof/witness.ts';

export type Path = 'client' | 'postgres' | 'redis';
export type NodeIndex = 0 | 1;

/** Tokens live longer than any run. The limits are not what is tried here. */
const ENVIRONMENT = { ACCESS_TOKEN_TTL_MS: '86400000', LIMITS_MODE: 'off' };

/** Two nodes, a PostgreSQL and a Redis, and between any two of them a piece of network of our own. */
export class Stage implements AsyncDisposable {
  readonly postgres: OwnPostgres;
  readonly redis: OwnRedis;
  /** By the number of the node. */
  readonly paths: Readonly<Record<Path, readonly [TestProxy, TestProxy]>>;
  readonly #nodes: (ServerProcess | null)[] = [null, null];
  readonly #stack: AsyncDisposableStack;

  private constructor(postgres: OwnPostgres, redis: OwnRedis, paths: Stage['paths'], stack: AsyncDisposableStack) {
    this.postgres = postgres;
    this.redis = redis;
    this.paths = paths;
    this.#stack = stack;
  }

  /** Null when there is no redis-server on this machine. */
  static async start(): Promise<Stage | null> {
    await using stack = new AsyncDisposableStack();
    const redis = await startOwnRedis();
    if (redis === null) return null;
    stack.use(redis);
    const postgres = stack.use(await OwnPostgres.start());
    const pair = async (port: number | string) => [stack.use(await startProxy(port)), stack.use(await startProxy(port))] as const;
    const paths = { client: await pair(0), postgres: await pair(postgres.socket), redis: await pair(redis.port) };
    const stage = new Stage(postgres, redis, paths, stack.move());
    try {
      for (const index of [0, 1] as const) await stage.startNode(index);
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
    return stage;
  }

  /** As the people see them. */
  get places(): readonly [Place, Place] {
    const [first, second] = this.paths.client;
    return [
      { name: 'node 0', url: first.url },
      { name: 'node 1', url: second.url },
    ];
  }

  node(index: NodeIndex): ServerProcess {
    const node = this.#nodes[index];
    if (node === null || node === undefined) throw new Error(`Node ${index} must be up.`);
    return node;
  }

  async startNode(index: NodeIndex): Promise<void> {
    const { postgres, redis, client } = this.paths;
    const url = `postgres://postgres@127.0.0.1:${postgres[index].port}/postgres`;
    const redisUrl = `redis://127.0.0.1:${redis[index].port}`;
    const node = await ServerProcess.start({ database: { url }, redisUrl, environment: ENVIRONMENT });
    this.#nodes[index] = node;
    client[index].targetPort = Number(new URL(node.url).port);
  }

  async startPostgres(): Promise<void> {
    await this.postgres.start();
    for (const proxy of this.paths.postgres) proxy.targetPort = this.postgres.socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node?.[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
  }
}
