import type { ExecutionArgs } from 'graphql';
import { createConversations } from '../../src/conversations/conversations.ts';
import { createConversationLoaders } from '../../src/conversations/loaders.ts';
import { createConversationResolvers } from '../../src/conversations/resolvers.ts';
import { createMemoryBus } from '../../src/events/bus-memory.ts';
import { createRedisBus } from '../../src/events/bus-redis.ts';
import { createEventCursors } from '../../src/events/cursors.ts';
import { Hub } from '../../src/events/hub.ts';
import { createEventResolvers } from '../../src/events/resolvers.ts';
import { readXmin } from '../../src/events/resume-changes.ts';
import { createSubscriptions } from '../../src/events/subscriptions.ts';
import { createSubscribe } from '../../src/graphql/broadcast.ts';
import { createSchema } from '../../src/graphql/schema.ts';
import { createSnapshots } from '../../src/graphql/snapshot.ts';
import { createViewerSnapshots } from '../../src/graphql/viewer-snapshot.ts';
import type { IdentityService } from '../../src/identity/identity.ts';
import { createIdentityResolvers } from '../../src/identity/resolvers.ts';
import { createBodyRenderer } from '../../src/messages/body-renderer.ts';
import { createMessageLoaders } from '../../src/messages/loaders.ts';
import { createMessages } from '../../src/messages/messages.ts';
import { createPages } from '../../src/messages/pages/pages.ts';
import { createMessageResolvers } from '../../src/messages/resolvers.ts';
import { MessageWriter } from '../../src/messages/writer.ts';
import type { CursorCodec } from '../../src/platform/cursor.ts';
import { badInput } from '../../src/platform/errors.ts';
import type { Logger } from '../../src/platform/logger.ts';
import type { Parameter, Sql } from '../../src/platform/postgres.ts';
import type { FakeClock, Owner } from './clock.ts';
import type { ModelRedis } from './model-redis.ts';
import type { PersonState } from './model-state.ts';
import type { SimulatedDatabase } from './simulated-database.ts';

export type NodeDependencies = {
  readonly clock: FakeClock;
  readonly name: string;
  readonly database: SimulatedDatabase;
  readonly redis: ModelRedis;
  readonly people: readonly PersonState[];
  readonly queueMax: number;
  readonly tailMax: number;
  readonly checkIntervalMs: number;
};

export type SimulatedNode = Owner & ReturnType<typeof createParts>;

/** Cursors that can be read, and are quickly made: that nobody can make one up is not what is simulated. */
const codec: CursorCodec = {
  encode: (list, payload) => [list, ...payload].join(' '),
  encodeEach: (list, numbers) => numbers.map((number) => `${list} ${number}`),
  decode: (_field, list, cursor) => {
    if (!cursor.startsWith(`${list} `)) throw badInput('after', `after must be a cursor of ${list}, got ${cursor}.`);
    return cursor.slice(list.length + 1).split(' ');
  },
};
export const cursors = createEventCursors({ codec, epoch: 'simulation' });

/** A conversation that nobody follows is let go after so long: often, in schedules of a few seconds. */
const LINGER_MS = 300;

const nothing = () => {};
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** One process of Rookery, from the bus to the streams, as app.ts puts it together: all of it real but what it is connected to. */
export function startNode(dependencies: NodeDependencies): SimulatedNode {
  const { clock, name } = dependencies;
  const owner = { name, isAlive: true, isAsleep: false };
  const before = clock.owner;
  // The timers that it begins with are its own.
  clock.owner = owner;
  const node = Object.assign(owner, createParts(owner, dependencies));
  clock.owner = before;
  return node;
}

function createParts(owner: Owner, { database, redis, people, queueMax, tailMax, checkIntervalMs }: NodeDependencies) {
  const { sql, reader, statements } = database.connect(owner);
  const bus = createRedisBus({
    pubSub: redis.connect(owner),
    local: createMemoryBus({ logger: silent }),
    prefix: '',
    logger: silent,
    onBack: () => hub.checkSoon(),
    lingerMs: LINGER_MS / 2,
  });
  const hub: Hub = new Hub({ reader, bus, logger: silent, checkIntervalMs, lingerMs: LINGER_MS });
  const subscriptions = createSubscriptions({ reader, hub, cursors, now: () => Date.now(), queueMax, tailMax });
  const conversations = createConversations({ sql, bus, identity: identityOf(people) });
  const writer = new MessageWriter({ statements, batchMax: 6 });
  const messages = createMessages({ sql, bus, conversations, writer });
  const subscribe = createSubscribe({ onOpened: nothing, onEnded: nothing });
  return { sql, bus, hub, subscriptions, conversations, writer, messages, subscribe };
}

function identityOf(people: readonly PersonState[]): Pick<IdentityService, 'userKeysByUuid' | 'usersByKey'> {
  const users = people.map(({ key, uuid, handle }) => ({
    key,
    uuid,
    handle,
    displayName: handle,
    avatarUrl: null,
    createdAt: new Date(0),
  }));
  return {
    userKeysByUuid: async (uuids) => new Map(users.flatMap(({ key, uuid }) => (uuids.includes(uuid) ? [[uuid, key]] : []))),
    usersByKey: async (keys) => new Map(users.flatMap((user) => (keys.includes(user.key) ? [[user.key, user]] : []))),
  };
}

/**
 * The schema with its resolvers, made once, as that takes longer than a schedule. Its parts are those of the node whose turn it is: as one
 * thing happens after the other, that is the one that called.
 */
export function createSimulatedSchema(current: () => SimulatedNode) {
  const part = <Name extends 'messages' | 'conversations' | 'subscriptions'>(name: Name): SimulatedNode[Name] =>
    // Whatever is asked of it is that node's.
    new Proxy({} as SimulatedNode[Name], { get: (_, member) => Reflect.get(current()[name], member) });
  const snapshots = createSnapshots(cursors);
  const viewerSnapshots = createViewerSnapshots({ readXmin: () => readXmin(current().sql) });
  const conversationLoaders = createConversationLoaders({ conversations: part('conversations'), snapshots });
  const sql: Sql = Object.assign(
    <Row extends object>(text: TemplateStringsArray, ...values: readonly Parameter[]) => current().sql<Row>(text, ...values),
    { once: <Row extends object>(text: TemplateStringsArray, ...values: readonly Parameter[]) => current().sql.once<Row>(text, ...values) },
  );
  const pages = createPages({ sql, slow: () => sql, logger: silent });
  const loaders = createMessageLoaders({ messages: part('messages'), pages, snapshots });
  // Of identity the schema needs what is answered without it.
  const identity = {} as IdentityService;
  const resolvers = [
    createIdentityResolvers({ identity, codec }),
    createConversationResolvers({ conversations: part('conversations'), loaders: conversationLoaders, codec, cursors, snapshots }),
    createMessageResolvers({
      messages: part('messages'),
      loaders,
      conversationLoaders,
      codec,
      cursors,
      snapshots,
      renderer: createBodyRenderer(),
      readText: async () => {
        throw new Error('Nobody searches here.');
      },
    }),
    createEventResolvers({
      subscriptions: part('subscriptions'),
      refer: (uuid) => current().conversations.refer(uuid),
      cursors,
      xminOf: viewerSnapshots.xminOf,
    }),
  ];
  const schema = createSchema(resolvers, { guards: { visible: conversationLoaders.viewed, member: conversationLoaders.inside } });
  return { schema, prepare: (args: ExecutionArgs) => viewerSnapshots.prepare(args) };
}
