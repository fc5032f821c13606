import { buildSchema, type DocumentNode, type ExecutionArgs, execute, type GraphQLSchema, parse } from 'graphql';
import type { Context } from '../../src/graphql/context.ts';
import { AppError } from '../../src/platform/errors.ts';
import { encodeId } from '../../src/platform/id.ts';
import { MemoryRateLimitStore } from '../../src/platform/rate-limit-memory.ts';
import { createRateLimitNodes } from '../../src/platform/rate-limit-nodes.ts';
import type { LimitPolicies } from '../../src/platform/rate-limit-policies.ts';
import { createRedisRateLimitStore } from '../../src/platform/rate-limit-redis.ts';
import { SharedRateLimitStore } from '../../src/platform/rate-limit-shared.ts';
import { createLimiter, type Limiter } from '../../src/server/limiter.ts';
import { createOperationLimits } from '../../src/server/operation-limits.ts';
import type { FakeClock, Owner } from './clock.ts';
import type { Asking, FieldOutcome } from './limit-plan.ts';
import type { LimitRedis } from './limit-redis.ts';

/** So that schedules of two seconds have many. */
export const HEARTBEAT_INTERVAL_MS = 100;
/** As a server has it. */
const ANSWER_TIMEOUT_MS = 80;
const LOOK_UP_MS = 2;
/** Of windows in memory, and what they hold: the schedules have a dozen. */
const WINDOWS_MAX = 32;
const PARTS_MAX = 256;

export type LimitNode = Owner & { readonly limiter: Limiter };

export type LimitNodeDependencies = {
  readonly clock: FakeClock;
  readonly name: string;
  readonly redis: LimitRedis;
  readonly policies: LimitPolicies;
  readonly onAlone: (name: string, isAlone: boolean) => void;
};

/** The limiter of a node as a server has it. To be called in its turn. */
export function startLimitNode(owner: Owner, { clock, name, redis, policies, onAlone }: LimitNodeDependencies): Limiter {
  const connection = redis.connect(owner);
  const tiers = new Set<string>();
  return createLimiter({
    store: new SharedRateLimitStore({
      shared: createRedisRateLimitStore({ redis: connection, prefix: '' }),
      local: new MemoryRateLimitStore({
        clock: { monotonic: () => clock.now },
        windowsMax: WINDOWS_MAX,
        partsMax: PARTS_MAX,
      }),
      nodes: createRateLimitNodes(connection, ''),
      isUp: () => connection.isUp,
      onLocal: (isLocal) => onAlone(name, isLocal),
      answerTimeoutMs: ANSWER_TIMEOUT_MS,
      heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    }),
    policies: () => policies,
    limitsMode: 'enforce',
    keyOf: (policy, of) => `${policy} ${of}`,
    conversationTiers: {
      known: (uuid) => (tiers.has(uuid) ? 'FREE' : undefined),
      lookUp: async (uuid) => {
        await sleep(LOOK_UP_MS);
        tiers.add(uuid);
        return 'FREE';
      },
    },
  });
}

/** Who wants to know how an operation fares. Fields inside of the list are told by their place in it. */
export type Watch = {
  admitted(): void;
  refused(error: unknown): void;
  listed(count: number): void;
  searching(index: number): void;
  searched(index: number): void;
  searchRefused(index: number, error: unknown): void;
  over(): void;
};

/** Runs operations as the server does: reserves, executes, and settles. Its limiter is that of the node whose turn it is. */
export function createAsk(current: () => LimitNode) {
  const schema = createSchema();
  // Whatever is asked of it is that node's.
  const limiter = new Proxy({} as Limiter, { get: (_, member) => Reflect.get(current().limiter, member) });
  const limits = createOperationLimits(schema, limiter);

  return async (asking: Asking, watch: Watch): Promise<void> => {
    const args = argsOf(schema, asking);
    watches.set(args.contextValue as Context, { asking, watch });
    const reserve = async () => {
      if (asking.what.kind !== 'tooExpensive') return limits.reserve(args, asking.points);
      return limits.refuse(args, () => new TooExpensive());
    };
    let reservation: Awaited<ReturnType<typeof limits.reserve>>;
    try {
      reservation = await reserve();
    } catch (error) {
      if (error instanceof TooExpensive) watch.admitted();
      else watch.refused(error);
      return;
    }
    watch.admitted();
    const { errors = [] } = await execute(args);
    for (const { path, originalError } of errors) {
      const [field, index] = path ?? [];
      if (field === 'feed' && typeof index === 'number' && originalError instanceof AppError && !(originalError instanceof Refusal))
        watch.searchRefused(index, originalError);
    }
    if (reservation !== null) limits.settle(reservation, asking.cost);
    watch.over();
  };
}

class TooExpensive extends Error {}
/** What fields of the schedule are refused for. */
class Refusal extends AppError {}

const watches = new WeakMap<Context, { readonly asking: Asking; readonly watch: Watch }>();
const sleep = (ms: number) => new Promise<void>((resolve) => void globalThis.setTimeout(resolve, ms));

async function comeTo(outcome: FieldOutcome, context: Context): Promise<number> {
  const workMs = watches.get(context)?.asking.workMs ?? 0;
  if (workMs > 0) await sleep(workMs);
  if (outcome === 'NOT_FOUND' || outcome === 'BAD_USER_INPUT') throw new Refusal(outcome, 'Not this time.');
  if (outcome === 'broken') throw new Error('It broke.');
  return 1;
}

type Given = { readonly input: { readonly outcome: FieldOutcome } };
type Found = { readonly outcome: FieldOutcome; readonly index?: number };

function createSchema(): GraphQLSchema {
  const schema = buildSchema(`
    type Query { item(isThere: Boolean!, outcome: String!): Item, feed: [Item!]! }
    type Item { search: Int }
    type Mutation { sendMessage(input: SendMessageInput!): Int, signIn(input: SignInInput!): Int, stop: Int! }
    input SendMessageInput { conversationId: ID!, outcome: String! }
    input SignInInput { handle: String!, outcome: String! }
  `);
  const resolve = (
    type: string,
    field: string,
    resolver: (source: Found, args: Given & Found & { isThere: boolean }, context: Context) => unknown,
  ) => {
    const found = schema.getType(type);
    if (found === undefined || !('getFields' in found)) throw new Error(`There must be a type ${type}.`);
    Object.assign(found.getFields()[field] ?? {}, { resolve: resolver });
  };
  resolve('Mutation', 'sendMessage', (_, { input }, context) => comeTo(input.outcome, context));
  resolve('Mutation', 'signIn', (_, { input }, context) => comeTo(input.outcome, context));
  resolve('Mutation', 'stop', () => {
    throw new Error('Nothing more runs.');
  });
  resolve('Query', 'item', (_, { isThere, outcome }) => (isThere ? { outcome } : null));
  resolve('Query', 'feed', (_source, _args, context) => {
    const { asking, watch } = watches.get(context) ?? {};
    const searches = asking?.what.kind === 'feed' ? asking.what.searches : [];
    watch?.listed(searches.length);
    return searches.map((outcome, index) => ({ outcome, index }));
  });
  resolve('Item', 'search', async ({ outcome, index }, _, context) => {
    if (index === undefined) return comeTo(outcome, context);
    const { watch } = watches.get(context) ?? {};
    watch?.searching(index);
    try {
      return await comeTo(outcome, context);
    } finally {
      watch?.searched(index);
    }
  });
  return schema;
}

export const uuidOf = (kind: '7' | '9', number: number) => `00000000-0000-7000-8000-${kind}000000000${10 + number}`;

function argsOf(schema: GraphQLSchema, { user, what }: Asking): ExecutionArgs {
  const viewer = {
    userKey: user,
    userUuid: uuidOf('7', user),
    tier: 'FREE',
    role: 'USER',
    sessionUuid: null,
    expiresAtMs: Number.POSITIVE_INFINITY,
  } as const;
  const contextValue: Context = { viewer, isService: false, requestId: 'simulated' };
  switch (what.kind) {
    case 'send': {
      const names = what.sends.map((_, index) => `s${index}`);
      const stopsAt = what.sends.findIndex(({ outcome }) => outcome === 'not run');
      const fields = names.map((name, index) => `${index === stopsAt ? 'stop ' : ''}${name}: sendMessage(input: $${name})`);
      const variableValues = Object.fromEntries(
        what.sends.map(({ conversation, outcome }, index) => [
          `s${index}`,
          { conversationId: encodeId('cnv', uuidOf('9', conversation)), outcome },
        ]),
      );
      const text = `mutation (${names.map((name) => `$${name}: SendMessageInput!`).join(', ')}) { ${fields.join(' ')} }`;
      return { schema, document: documentOf(text), variableValues, contextValue };
    }
    case 'signIn': {
      const variableValues = { input: { handle: `a${what.account}`, outcome: what.outcome } };
      return { schema, document: documentOf('mutation ($input: SignInInput!) { signIn(input: $input) }'), variableValues, contextValue };
    }
    case 'search': {
      const variableValues = { isThere: what.outcome !== 'not run', outcome: what.outcome };
      const text = 'query ($isThere: Boolean!, $outcome: String!) { item(isThere: $isThere, outcome: $outcome) { search } }';
      return { schema, document: documentOf(text), variableValues, contextValue };
    }
    default:
      return { schema, document: documentOf('{ feed { search } }'), contextValue };
  }
}

const documents = new Map<string, DocumentNode>();

function documentOf(text: string): DocumentNode {
  const known = documents.get(text) ?? parse(text);
  documents.set(text, known);
  return known;
}
