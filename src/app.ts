import { readLimitsFile } from './config/limits-file.ts';
import type { Config } from './config.ts';
import { createConversations } from './conversations/conversations.ts';
import { createConversationLoaders } from './conversations/loaders.ts';
import { createOwnerTiers } from './conversations/owner-tier.ts';
import { createConversationResolvers } from './conversations/resolvers.ts';
import { createMemoryBus } from './events/bus-memory.ts';
import { createRedisBus } from './events/bus-redis.ts';
import { createChangeReader } from './events/change-reader.ts';
import { createEventCursors } from './events/cursors.ts';
import { Hub } from './events/hub.ts';
import { createEventResolvers } from './events/resolvers.ts';
import { readEpoch, readXmin } from './events/resume-changes.ts';
import { createSubscriptions } from './events/subscriptions.ts';
import { createExplainCostResolvers } from './graphql/explain-cost.ts';
import type { Guards } from './graphql/guard.ts';
import { createNodeResolvers } from './graphql/node.ts';
import { createRateLimitResolvers } from './graphql/rate-limits.ts';
import { createSchema, type ResolverParts } from './graphql/schema.ts';
import { createSnapshots } from './graphql/snapshot.ts';
import { createViewerSnapshots } from './graphql/viewer-snapshot.ts';
import { createIdentityService, type IdentityService } from './identity/identity.ts';
import { createIdentityResolvers } from './identity/resolvers.ts';
import { SignInAlarm } from './identity/sign-in-alarm.ts';
import { createBodyRenderer } from './messages/body-renderer.ts';
import { createMessageLoaders } from './messages/loaders.ts';
import { createMessages } from './messages/messages.ts';
import { createPages } from './messages/pages/pages.ts';
import { createMessageResolvers } from './messages/resolvers.ts';
import { createSendStatements } from './messages/store.ts';
import { MessageWriter } from './messages/writer.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import { createCursorCodec } from './platform/cursor.ts';
import { openDatabase } from './platform/database.ts';
import { developmentSecret } from './platform/development-secret.ts';
import { createLogger, type Logger } from './platform/logger.ts';
import { createMetrics } from './platform/metrics.ts';
import { connectPostgres, type DatabaseAddress } from './platform/postgres.ts';
import type { LimitPolicies } from './platform/rate-limit-policies.ts';
import { COMMAND_TIMEOUT_MS, connectRedis } from './platform/redis.ts';
import { redisPrefix } from './platform/redis-prefix.ts';
import { deriveSecrets } from './platform/secrets.ts';
import { connectSlowPostgres } from './platform/slow-database.ts';
import { createPresence } from './presence/presence.ts';
import { createMemoryPresenceStore } from './presence/presence-store-memory.ts';
import { createRedisPresenceStore } from './presence/presence-store-redis.ts';
import { createPresenceResolvers } from './presence/resolvers.ts';
import { createTyping } from './presence/typing.ts';
import { FUNCTION_FILES, MIGRATIONS_DIRECTORY } from './schema-files.ts';
import { IndexTidier } from './search/index-tidier.ts';
import { createSearchResolvers } from './search/resolvers.ts';
import { createSearch } from './search/search.ts';
import { createChatPages } from './server/chat-page.ts';
import { costMaxOf } from './server/cost-limit.ts';
import { LIMITS, type Limits } from './server/limits.ts';
import { openLimiter } from './server/open-limiter.ts';
import { PoliciesInForce } from './server/policies-in-force.ts';
import { createServer, type RookeryServer } from './server/server.ts';

export type AppOptions = {
  readonly config: Config;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Instead of what the configuration says. */
  readonly databaseAddress?: DatabaseAddress;
  /** Told of every statement, for tests that count them. */
  readonly onStatement?: (text: string) => void;
  /** Instead of those in presence/rules.ts, for tests that would not wait for them. */
  readonly presenceTimes?: Partial<PresenceTimes>;
  /** Instead of what LIMITS_FILE says. */
  readonly limitPolicies?: () => LimitPolicies;
  /** Instead of those in server/limits.ts, for tests that would not wait for them. */
  readonly limits?: Partial<Limits>;
};

/** In milliseconds. */
export type PresenceTimes = {
  readonly graceMs: number;
  readonly heldMs: number;
  readonly heartbeatMs: number;
  readonly sweepMs: number;
  readonly typingMs: number;
  readonly repeatMs: number;
};

export type App = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  /** Reads LIMITS_FILE anew. One that is wrong is told in the log, and the old one stays. */
  reloadLimits(): void;
  /** What the schema is made of, for tests that put it together under other access rules. */
  readonly parts: { readonly resolverParts: ResolverParts; readonly guards: Guards; readonly identity: IdentityService };
};

/** Builds every part, each before what needs it, and stops them in reverse. */
export async function startApp({ config, clock = systemClock, onStatement, presenceTimes = {}, ...options }: AppOptions): Promise<App> {
  const logger = options.logger ?? createLogger(config.logLevel);
  const policies = new PoliciesInForce(options.limitPolicies ?? (() => readLimitsFile(config.limitsFile)));
  await using stack = new AsyncDisposableStack();

  const { databaseUrl, dataDirectory: directory } = config;
  const address =
    options.databaseAddress ??
    stack.use(await openDatabase({ databaseUrl, directory, migrations: MIGRATIONS_DIRECTORY, functions: FUNCTION_FILES, logger })).address;
  const metrics = createMetrics();
  stack.defer(() => metrics[Symbol.dispose]());
  const { statementTimeoutMs, lockTimeoutMs } = config;
  const ofStatements = {
    address,
    lockTimeoutMs,
    onStatement({ text, durationMs, failed }: { readonly text: string; readonly durationMs: number; readonly failed: boolean }) {
      metrics.databaseDuration.observe({ failed: String(failed) }, durationMs / 1_000);
      onStatement?.(text);
    },
  };
  const database = stack.use(
    connectPostgres({
      ...ofStatements,
      connectionsMax: config.databaseConnectionsMax,
      queueMax: QUEUED_STATEMENTS_MAX,
      statementTimeoutMs,
      onAway(isAway) {
        metrics.databaseUp.set(isAway ? 0 : 1);
        if (isAway) logger.error('The database is away.');
        else logger.info('The database is back.');
      },
    }),
  );
  const slow = stack.use(
    connectSlowPostgres({
      ...ofStatements,
      connectionsMax: config.slowConnectionsMax,
      queueMax: QUEUED_SLOW_STATEMENTS_MAX,
      statementTimeoutMs: config.slowStatementTimeoutMs,
    }),
  );
  const { sql } = database;
  metrics.databaseUp.set(1);

  const secrets = deriveSecrets(config.secret ?? developmentSecret(config.dataDirectory));
  const codec = createCursorCodec(secrets.cursorKey);
  const epoch = await readEpoch(sql);
  const cursors = createEventCursors({ codec, epoch });
  const { redisUrl } = config;
  const onRedisChange = (isUp: boolean) => metrics.redisUp.set(Number(isUp));
  const answerTimeoutMs = options.limits?.limitDecisionTimeoutMs ?? LIMITS.limitDecisionTimeoutMs;
  // No decision may be given up before its own time.
  const commandTimeoutMs = Math.max(COMMAND_TIMEOUT_MS, answerTimeoutMs);
  const redis =
    redisUrl === null ? null : stack.use(await connectRedis({ url: redisUrl, logger, commandTimeoutMs, onChange: onRedisChange }));
  const local = createMemoryBus({ logger });
  const bus = stack.use(
    redis === null
      ? local
      : createRedisBus({
          pubSub: await redis.pubSub(),
          local,
          prefix: redisPrefix(epoch),
          logger,
          onLost: () => metrics.busLost.inc(),
          onBack: () => hub.checkSoon(),
        }),
  );
  const limiting = stack.use(
    openLimiter({
      config,
      redis,
      prefix: redisPrefix(epoch),
      answerTimeoutMs,
      secret: secrets.limitKey,
      policies: policies.current,
      conversationTiers: createOwnerTiers({ sql, clock }),
      clock,
      metrics,
      logger,
    }),
  );
  const { limiter } = limiting;

  const reader = createChangeReader(sql);
  const hub: Hub = new Hub({ reader, bus, logger, clock, areViewersCurrent: () => server.isCurrent() });
  stack.defer(() => hub.stop());
  const onSignalDropped = () => metrics.signalsDropped.inc();
  const subscriptions = createSubscriptions({ reader, hub, cursors, now: () => clock.now(), onSignalDropped });

  const onSessionsEnded = (sessionUuids: readonly string[]) => bus.publish({ kind: 'sessions', sessionUuids, userUuids: [] });
  const onUsersChanged = (userUuids: readonly string[]) => bus.publish({ kind: 'sessions', sessionUuids: [], userUuids });
  const onKeysUnavailable = (error: unknown) => logger.warn({ err: error }, 'The keys of the identity provider could not be had');
  const signInAlarm = stack.use(
    new SignInAlarm({
      clock,
      failuresMax: () => policies.current().signInFailuresMax,
      onChange(isOn) {
        metrics.signInAlarm.set(Number(isOn));
        logger.warn({ isOn }, isOn ? 'Very many sign-ins fail: somebody may be guessing passwords.' : 'No more sign-ins fail than usual.');
      },
    }),
  );
  const onSignInFailed = () => {
    metrics.signInFailures.inc();
    signInAlarm.failed();
  };
  const onIdentity = { onSessionsEnded, onUsersChanged, onSignInFailed, onKeysUnavailable };
  const identity = createIdentityService({ sql, secrets, clock, config, ...onIdentity });
  // When all that has arrived has been read: so requests that come at nearly the same time are answered by the same statements.
  const schedule = (read: () => void) => void setImmediate(read);
  const conversations = createConversations({ sql, bus, identity, schedule });
  const search = createSearch({ sql, slow: slow.sql, conversations, identity });
  const tidier = stack.use(new IndexTidier({ tidy: search.tidy, logger }));
  const writer = new MessageWriter({
    statements: createSendStatements(sql),
    onBatch(size) {
      metrics.messageBatches.observe(size);
      tidier.onWritten();
    },
  });
  stack.defer(() => writer.drain());
  const messages = createMessages({ sql, bus, conversations, writer });
  const onPlanned = (plan: string, count: number) => metrics.historyPages.inc({ plan }, count);
  const pages = createPages({ sql, slow: slow.sql, logger, onPlanned, schedule });

  const ownPresences = createMemoryPresenceStore({ clock, ...presenceTimes });
  const onFailure = () => metrics.redisFailures.inc();
  const presenceStore = stack.use(
    redis === null
      ? ownPresences
      : createRedisPresenceStore({ redis, prefix: redisPrefix(epoch), own: ownPresences, onFailure, ...presenceTimes }),
  );
  const presence = stack.use(
    createPresence({
      sql,
      bus,
      identity,
      store: presenceStore,
      logger,
      ...presenceTimes,
      onChange: (changed) => metrics.presenceChanges.inc({ presence: changed }),
      onConnections: (count) => metrics.presenceConnections.set(count),
    }),
  );
  const typing = stack.use(createTyping({ bus, conversations, identity, clock, logger, ...presenceTimes }));

  const snapshots = createSnapshots(cursors);
  const viewerSnapshots = createViewerSnapshots({ readXmin: () => readXmin(sql) });
  const conversationLoaders = createConversationLoaders({ conversations, snapshots });
  const messageLoaders = createMessageLoaders({ messages, pages, snapshots });
  const resolverParts = [
    createExplainCostResolvers({ costMaxOf: (context) => costMaxOf(policies.current(), context) }),
    createRateLimitResolvers({ standingsOf: limiter.standingsOf }),
    createIdentityResolvers({ identity, codec }),
    createConversationResolvers({ conversations, loaders: conversationLoaders, codec, cursors, snapshots }),
    createMessageResolvers({
      messages,
      loaders: messageLoaders,
      conversationLoaders,
      codec,
      cursors,
      snapshots,
      renderer: createBodyRenderer(),
      readText: search.readText,
    }),
    createSearchResolvers({ search, codec, snapshots }),
    createPresenceResolvers({ presence, typing, identity, loaders: conversationLoaders }),
    createEventResolvers({ subscriptions, refer: conversations.refer, cursors, xminOf: viewerSnapshots.xminOf }),
    createNodeResolvers({
      user: (_, uuid) => identity.userByUuid(uuid),
      viewer: async ({ viewer }, uuid) => (viewer?.userUuid === uuid ? viewer : null),
      session: async ({ viewer }, uuid) => (viewer === null ? null : identity.sessionByUuid(viewer.userKey, uuid)),
      async conversation(context, uuid) {
        const found = await conversations.find(uuid);
        return found === null ? null : conversationLoaders.find(context, found.key);
      },
      async message(context, uuid, sequence) {
        const conversation = await conversations.find(uuid);
        return conversation === null ? null : messageLoaders.find(context, { conversation, sequence });
      },
      async member(context, uuid, userUuid) {
        const conversation = await conversations.find(uuid);
        return conversation === null ? null : conversationLoaders.member(context, conversation, userUuid);
      },
    }),
  ];
  const guards = { visible: conversationLoaders.viewed, member: conversationLoaders.inside };
  const schema = createSchema(resolverParts, { guards, isDevelopment: config.mode === 'development' });
  policies.checkAgainst(schema);

  const server: RookeryServer = stack.use(
    await createServer({
      schema,
      identify: identity.identify,
      review: identity.review,
      prepare: viewerSnapshots.prepare,
      config,
      metrics,
      logger,
      clock,
      observe: presence.observe,
      onCurrent: () => hub.onCurrent(),
      isReady: async () => (await readXmin(sql)) > 0,
      degradations() {
        if (redis !== null && !redis.isUp) return ['Redis is away'];
        return limiting.isLocal() ? ['rate limits are counted by this node alone'] : [];
      },
      limiter,
      limits: options.limits ?? {},
      pages: config.isChatPageEnabled ? createChatPages() : new Map(),
    }),
  );
  const unsubscribe = await bus.onSessions(({ sessionUuids, userUuids }) => {
    server.closeSocketsOf({ sessionUuids });
    identity.lookAgain(userUuids);
    if (userUuids.length > 0) server.checkViewers();
  });
  stack.defer(unsubscribe);

  const owned = stack.move();
  return {
    url: server.url,
    port: server.port,
    reloadLimits() {
      try {
        policies.reload();
        metrics.limitReloads.inc({ outcome: 'taken' });
        logger.info('LIMITS_FILE was read anew.');
      } catch (error) {
        metrics.limitReloads.inc({ outcome: 'refused' });
        logger.error(
          { reason: error instanceof Error ? error.message : String(error) },
          'LIMITS_FILE is wrong: the limits of before stay.',
        );
      }
    },
    parts: { resolverParts, guards, identity },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Beyond the connections; a statement waits here for milliseconds, so more would only make everybody late. */
const QUEUED_STATEMENTS_MAX = 1_000;
/** The same for those that may take long: who waits behind these has waited long enough. */
const QUEUED_SLOW_STATEMENTS_MAX = 50;
