import { createTestDatabase, type TestDatabase } from './database.ts';
import { type Person, signUpAll } from './person.ts';
import type { OwnRedis } from './redis.ts';
import { type Runtime, ServerProcess } from './server-process.ts';

export type NodePairOptions = {
  readonly redis: OwnRedis;
  readonly runtimes?: readonly [Runtime, Runtime];
  readonly environment?: Readonly<Record<string, string>>;
};

/** Two server processes on one database of their own and one Redis. Each may be ended and begun anew, at another address. */
export class NodePair implements AsyncDisposable {
  readonly nodes: [ServerProcess, ServerProcess];
  readonly database: TestDatabase;
  readonly #options: NodePairOptions;
  #people = 0;

  private constructor(nodes: [ServerProcess, ServerProcess], database: TestDatabase, options: NodePairOptions) {
    this.nodes = nodes;
    this.database = database;
    this.#options = options;
  }

  static async start(options: NodePairOptions): Promise<NodePair> {
    await using stack = new AsyncDisposableStack();
    const database = stack.use(await createTestDatabase());
    const first = stack.use(await startNode(database, options, 0));
    const second = await startNode(database, options, 1);
    stack.move(); // From here on the pair owns them.
    return new NodePair([first, second], database, options);
  }

  async startAnew(index: 0 | 1): Promise<void> {
    this.nodes[index] = await startNode(this.database, this.#options, index);
  }

  /** People who have just signed up, in front of the first node, each by a name nobody else has. */
  async people<const Names extends readonly string[]>(...names: Names): Promise<{ readonly [Index in keyof Names]: Person }> {
    return signUpAll(this.nodes[0].url, names, () => ++this.#people);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()));
    await this.database[Symbol.asyncDispose]();
  }
}

function startNode(database: TestDatabase, { redis, runtimes = ['node', 'node'], environment = {} }: NodePairOptions, index: 0 | 1) {
  return ServerProcess.start({ database: database.address, redisUrl: redis.url, runtime: runtimes[index], environment });
}
