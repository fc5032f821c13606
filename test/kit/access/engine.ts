import {
  type ExecutionResult,
  execute,
  GraphQLList,
  type GraphQLOutputType,
  type GraphQLSchema,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { ACCESS_RULES, type AccessRules } from '../../../src/graphql/access.ts';
import { createSubscribe } from '../../../src/graphql/broadcast.ts';
import type { Context } from '../../../src/graphql/context.ts';
import { createSchema } from '../../../src/graphql/schema.ts';
import { newUuid } from '../../../src/platform/id.ts';
import type { TestServer } from '../server.ts';
import { type Call, type Observation, observe } from './observe.ts';
import { operationOf, type Variables, withoutCursors } from './operation.ts';
import { createProbe } from './probe.ts';
import { ownIdsOf, personOf, type Role, SERVICE_TOKEN, type World } from './world.ts';

export type EngineOptions = { readonly rules?: AccessRules; readonly contextFor?: (context: Context) => Context };

/** The server's own resolvers on its database, behind a schema of one's own and without the way over the network. */
export class Engine {
  readonly server: TestServer;
  readonly #schema: GraphQLSchema;
  readonly #probe: ReturnType<typeof createProbe>;

  constructor(server: TestServer, { rules = ACCESS_RULES, contextFor }: EngineOptions = {}) {
    const { resolverParts, guards } = server.app.parts;
    this.server = server;
    this.#probe = createProbe(resolverParts, contextFor);
    this.#schema = createSchema(this.#probe.parts, { guards, rules });
    // So that what is refused leaves what stands beside it, and one operation tells of many fields.
    makeNullable(this.#schema);
  }

  /** Makes a call and tells what came of it. A stream is read until it has caught up, from each place of the world. */
  async run(call: Call, world: World): Promise<readonly Observation[]> {
    const context = await this.contextOf(world, call.role);
    const results: ExecutionResult[] = [];
    if (call.field.startsWith('Subscription.')) {
      for (const after of [world.after, world.afterFirst]) results.push(...(await this.#replay(call, { ...world, after }, context)));
    } else results.push(await this.execute(call.field, context, await this.variables(call, world)));
    return this.#observe(call, world, context, results);
  }

  /** What a stream that is open tells of something that is done meanwhile, until it has told of all these types of events. */
  async runLive(call: Call, world: World, act: () => Promise<unknown>, typenames: readonly string[]): Promise<readonly Observation[]> {
    const context = await this.contextOf(world, call.role);
    const events = await this.subscribe(call.field, context, withoutCursors(call.field, await this.variables(call, world)));
    if (!(Symbol.asyncIterator in events)) throw new Error(`A stream must open, got ${JSON.stringify(events)}.`);
    const results: ExecutionResult[] = [];
    const missing = new Set<unknown>(typenames);
    for await (const event of events) {
      results.push(event);
      const { __typename } = eventOf(call.field, event);
      if (__typename === 'CaughtUp') await act();
      missing.delete(__typename);
      if (missing.size === 0) break;
    }
    return this.#observe(call, world, context, results);
  }

  #observe(call: Call, world: World, context: Context, results: readonly ExecutionResult[]): readonly Observation[] {
    const ownIds = ownIdsOf(world, call.role);
    const reachOf = (path: string) => this.#probe.reachOf(context, path);
    return results.flatMap((result) => observe(operationOf(call.field).root, result, { call, ownIds, reachOf }));
  }

  variables({ field, role, target }: Call, world: World): Promise<Variables> {
    return operationOf(field).variables({ app: this.server.app, world, role, target });
  }

  /** With errors as they are thrown, and data as it is sent. */
  async execute(field: string, contextValue: Context, variableValues: Variables): Promise<ExecutionResult> {
    return sent(await execute({ schema: this.#schema, document: operationOf(field).document, contextValue, variableValues }));
  }

  /** The events as they are sent, or the refusal. */
  async subscribe(
    field: string,
    contextValue: Context,
    variableValues: Variables,
  ): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
    const subscribe = createSubscribe({ onOpened() {}, onEnded() {} });
    const events = await subscribe({ schema: this.#schema, document: operationOf(field).document, contextValue, variableValues });
    if (!(Symbol.asyncIterator in events)) return events;
    const iterator: AsyncIterableIterator<ExecutionResult> = {
      [Symbol.asyncIterator]() {
        return this;
      },
      async next() {
        const step = await events.next();
        return step.done === true ? step : { done: false, value: sent(step.value) };
      },
      async return() {
        await events.return?.();
        return { done: true, value: undefined };
      },
    };
    return iterator;
  }

  async contextOf(world: World, role: Role): Promise<Context> {
    const person = personOf(world, role);
    const token = role === 'service' ? SERVICE_TOKEN : (person?.accessToken ?? null);
    const authorization = token === null ? null : `Bearer ${token}`;
    const { viewer, isService } = await this.server.app.parts.identity.identify({ authorization, actingAs: null });
    return {
      // Of a session that nothing else goes by, so that signing out ends no other call.
      viewer: viewer === null ? null : { ...viewer, sessionUuid: newUuid() },
      isService,
      requestId: newUuid(),
      connection: { id: newUuid(), renew() {} },
    };
  }

  async #replay(call: Call, world: World, context: Context): Promise<readonly ExecutionResult[]> {
    const events = await this.subscribe(call.field, context, await this.variables(call, world));
    if (!(Symbol.asyncIterator in events)) return [events];
    const results: ExecutionResult[] = [];
    for await (const event of events) {
      results.push(event);
      if (eventOf(call.field, event)['__typename'] === 'CaughtUp') break;
    }
    return results;
  }
}

/** The event that a result of a subscription carries. */
export function eventOf(field: string, { data }: ExecutionResult): Readonly<Record<string, unknown>> {
  const event: unknown = data?.[operationOf(field).root.key];
  if (typeof event !== 'object' || event === null) throw new Error(`There must be an event of ${field}, got ${JSON.stringify(data)}.`);
  return { ...event };
}

function sent(result: ExecutionResult): ExecutionResult {
  return { ...result, data: JSON.parse(JSON.stringify(written(result.data ?? null))) };
}

/** With the cursors that are only known now; one that cannot be told is null, where there may be none. */
function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  if (!('toJSON' in value) || typeof value.toJSON !== 'function')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, written(each)]));
  try {
    return value.toJSON();
  } catch {
    return null;
  }
}

/** Fields of objects and of what they implement; arguments stay as they are. */
function makeNullable(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__') || !(isObjectType(type) || isInterfaceType(type))) continue;
    for (const field of Object.values(type.getFields())) field.type = nullable(field.type);
  }
}

function nullable(type: GraphQLOutputType): GraphQLOutputType {
  const inner = isNonNullType(type) ? type.ofType : type;
  return isListType(inner) ? new GraphQLList(nullable(inner.ofType)) : inner;
}
