import { makeExecutableSchema } from '@graphql-tools/schema';
import type { LimitsMode } from '../../src/config.ts';
import type { Context } from '../../src/graphql/context.ts';
import type { Identity } from '../../src/identity/identity.ts';
import { AppError, badInput } from '../../src/platform/errors.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import type { ByTier, SocketQuota } from '../../src/platform/rate-limit-policies.ts';
import type { Page } from '../../src/server/http.ts';
import type { Limits } from '../../src/server/limits.ts';
import { createServer, type ServerConfig } from '../../src/server/server.ts';
import { tinyLimiter } from '../kit/limits/limiter.ts';
import { GENEROUS_POLICIES } from '../kit/limits/policies.ts';

/** A word that no answer and no page may ever hold. */
export const SECRET = 'correct horse battery staple';

const typeDefs = /* GraphQL */ `
  type Query {
    hello: String
    viewer: String
    requestId: String
    self: Query
    broken: String
    wrong: Int
    refused(code: String!): String
    overloaded: String
    big: String
    echo(number: Int!, color: Color, input: EchoInput): String
    contextIsFresh: Boolean
  }
  enum Color { RED GREEN }
  input EchoInput { name: String }
  type Mutation {
    signIn: String
    touch: Int
    renew(user: String!, ttlMs: Int!): Boolean
  }
  type Event { number: Int!  broken: String!  maybe: String  context: Int!  filler: String! }
  type Subscription {
    "Three events and the end, continued after a cursor."
    count(after: String): Event
    durable: Event!
    endless: Event
    quiet: Event
    late: Event
    fails: Event
    throwsAtOnce: Event
    big: Event
  }
`;

export type Seen = { touched: number; open: number; produced: number; readonly contexts: Set<Context> };

export type TinyOptions = {
  readonly config?: Partial<ServerConfig>;
  readonly limitsMode?: LimitsMode;
  readonly limits?: Partial<Limits>;
  /** Of everybody, whatever their tier. */
  readonly quota?: Partial<SocketQuota>;
  readonly pages?: ReadonlyMap<string, Page>;
  readonly isReady?: () => Promise<boolean>;
};

/** A server around a small schema, for what has nothing to do with chat. Tokens are `user` or `user/ttlMs` or `user/ttlMs/session`. */
function quotas(quota: SocketQuota): ByTier<SocketQuota> {
  return { ANONYMOUS: quota, FREE: quota, STANDARD: quota, PREMIUM: quota, ENTERPRISE: quota };
}

export async function startTinyServer({
  config = {},
  limits = {},
  quota = {},
  limitsMode = 'enforce',
  pages = new Map(),
  isReady = async () => true,
}: TinyOptions = {}) {
  const seen: Seen = { touched: 0, open: 0, produced: 0, contexts: new Set() };
  const late = Promise.withResolvers<void>();
  const metrics = createMetrics();
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };

  async function authenticate(authorization: string): Promise<Identity> {
    const [, userUuid = '', ttlMs = '60000', sessionUuid = 'session'] =
      /^Bearer ([a-z]+)(?:\/(\d+))?(?:\/(\w+))?$/.exec(authorization) ?? [];
    if (userUuid === '' || userUuid === 'bad') throw new AppError('UNAUTHENTICATED', 'The access token is not valid.');
    if (userUuid === 'crash') throw new Error(SECRET);
    return { userKey: 1, userUuid, tier: 'FREE', role: 'USER', sessionUuid, expiresAtMs: Date.now() + Number(ttlMs) };
  }

  /** Each stream is open until its return() is called or it ended by itself. */
  function stream(next: (number: number) => Promise<object | null>): AsyncIterableIterator<object> {
    let number = 0;
    let isOpen = true;
    seen.open++;
    const close = () => {
      if (isOpen) seen.open--;
      isOpen = false;
    };
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      async next() {
        const value = await next(++number);
        if (value !== null) return { done: false, value };
        close();
        return { done: true, value: undefined };
      },
      async return() {
        close();
        return { done: true, value: undefined };
      },
    };
  }

  const event = (number: number) => ({ number, sequence: number, cursor: `c${number}` });
  const never = new Promise<never>(() => {});

  const resolvers = {
    Query: {
      hello: () => 'hello',
      viewer: (_root: unknown, _args: unknown, { viewer }: Context) => viewer?.userUuid ?? null,
      requestId: (_root: unknown, _args: unknown, { requestId }: Context) => requestId,
      self: () => ({}),
      broken: () => {
        throw new Error(SECRET);
      },
      wrong: () => SECRET,
      refused: (_root: unknown, { code }: { code: string }) => {
        throw code === 'BAD_USER_INPUT'
          ? badInput('input.body', 'Message body must be short, got long.')
          : new AppError('NOT_FOUND', 'Nothing here.');
      },
      overloaded: () => {
        throw new AppError('OVERLOADED', 'Come back later.', { retryAfterMs: 1_500 });
      },
      big: () => 'x'.repeat(100_000),
      echo: (_root: unknown, args: object) => JSON.stringify(args),
    },
    Mutation: {
      signIn: () => 'signed in',
      touch: () => ++seen.touched,
      renew: async (_root: unknown, { user, ttlMs }: { user: string; ttlMs: number }, { connection }: Context) => {
        connection?.renew(await authenticate(`Bearer ${user}/${ttlMs}`));
        return connection !== undefined;
      },
    },
    Event: {
      broken: () => {
        throw new Error(SECRET);
      },
      maybe: () => {
        throw new AppError('NOT_FOUND', 'Gone.');
      },
      filler: () => 'x'.repeat(50_000),
      context: (_root: unknown, _args: unknown, context: Context) => seen.contexts.add(context).size,
    },
    Subscription: {
      count: {
        subscribe: (_root: unknown, { after }: { after?: string }, { lastEventId }: Context) => {
          const start = Number((lastEventId ?? after ?? 'c0').slice(1));
          return stream(async (number) => (start + number > 3 ? null : event(start + number)));
        },
      },
      durable: { subscribe: () => stream(async (number) => event(number)) },
      endless: {
        subscribe: () =>
          stream(async (number) => {
            await new Promise((resolve) => setTimeout(resolve, 1));
            seen.produced++;
            return { number, sequence: null, cursor: null };
          }),
      },
      quiet: { subscribe: () => stream(() => never) },
      late: {
        subscribe: async () => {
          await late.promise;
          return stream(() => never);
        },
      },
      fails: {
        subscribe: () =>
          stream(async (number) => {
            if (number === 1) return event(1);
            throw new Error(SECRET);
          }),
      },
      throwsAtOnce: {
        subscribe: () => {
          throw new Error(SECRET);
        },
      },
      big: {
        subscribe: () =>
          stream(async (number) => {
            seen.produced++;
            return event(number);
          }),
      },
    },
  };

  const logs: string[] = [];
  const log = (details: { readonly err?: unknown }) =>
    void logs.push(JSON.stringify({ ...details, err: details.err instanceof Error ? details.err.stack : String(details.err) }));
  const server = await createServer({
    schema: makeExecutableSchema({ typeDefs, resolvers }),
    identify: async ({ authorization }) => ({
      viewer: authorization === null ? null : await authenticate(authorization),
      isService: false,
    }),
    config: {
      mode: 'development',
      host: '127.0.0.1',
      port: 0,
      allowedOrigins: [],
      isGraphiQLEnabled: false,
      isIntrospectionEnabled: true,
      trustedProxies: [],
      metricsToken: null,
      metricsPort: null,
      stopTimeoutMs: 1_000,
      ...config,
    },
    metrics,
    logger: { ...createLogger('silent'), debug: log, info: log, warn: log, error: log },
    clock,
    isReady,
    pages,
    limits: { stopSpreadMs: 50, ...limits },
    limiter: tinyLimiter({
      limitsMode,
      policies: { ...GENEROUS_POLICIES, sockets: quotas({ subscriptionsPerSocketMax: 50, socketsMax: 1_000, ...quota }) },
    }),
  });
  return {
    ...server,
    metrics,
    seen,
    late,
    logs,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      metrics[Symbol.dispose]();
    },
  };
}

/** Waits until something holds, looking often. */
export async function eventually(holds: () => boolean | Promise<boolean>, deadlineMs = 3_000): Promise<void> {
  const until = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`Must hold within ${deadlineMs} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
