import type { ExecutionResult } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCESS_RULES, type AccessRules, FIELD_RULES, OBJECT_ACCESS, OBJECT_RULES, ROOT_RULES } from '../src/graphql/access.ts';
import { SHAREABLE_COORDINATES } from '../src/graphql/shareable.ts';
import { Engine, eventOf } from './kit/access/engine.ts';
import { createGhost } from './kit/access/ghost.ts';
import { type Tables, violationOf } from './kit/access/judge.ts';
import { callsOf, observeAll } from './kit/access/matrix.ts';
import { codeOf, type Observation } from './kit/access/observe.ts';
import { coordinates, isRootType, rootFields, ruleOf, withoutCursors } from './kit/access/operation.ts';
import { createCast, createWorld, KINDS, type Kind, type Role, SERVICE_TOKEN, type World } from './kit/access/world.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import { until } from './kit/until.ts';

const TABLES: Tables = { rules: ACCESS_RULES, objects: OBJECT_ACCESS };
const MATRIX_DEADLINE_MS = 300_000;

let server: TestServer;
let engine: Engine;
let worlds: Readonly<Record<Kind, World>>;
let observations: readonly Observation[];
beforeAll(async () => {
  server = await startTestServer({ config: { serviceToken: SERVICE_TOKEN } });
  engine = new Engine(server);
  const [GROUP, CHANNEL, DIRECT] = await Promise.all(KINDS.map(async (kind) => createWorld(kind, await createCast(server))));
  if (GROUP === undefined || CHANNEL === undefined || DIRECT === undefined) throw new Error('There must be a world of each kind.');
  worlds = { GROUP, CHANNEL, DIRECT };
  observations = await observeAll(engine, [GROUP, CHANNEL, DIRECT]);
}, MATRIX_DEADLINE_MS);
afterAll(() => server[Symbol.asyncDispose]());

function violations(observed: readonly Observation[], tables: Tables = TABLES): readonly string[] {
  return [...new Set(observed.flatMap((observation) => violationOf(observation, tables) ?? []))];
}

describe('the rules of access', () => {
  test('hold for everybody, for every field, by every way to it', () => {
    expect(violations(observations).slice(0, 50)).toEqual([]);
  });

  test('are asked of every field there is: each was answered to somebody', () => {
    const answered = new Set(
      observations.filter(({ outcome }) => ['value', 'empty', 'null'].includes(outcome)).map(({ coordinate }) => coordinate),
    );
    expect(coordinates().filter((coordinate) => !answered.has(coordinate))).toEqual([]);
    expect(of('User.presence').some(({ value }) => value === 'ONLINE')).toBe(true);
    const refused = new Set(observations.map(({ outcome }) => outcome));
    expect([...refused].sort()).toEqual(['FORBIDDEN', 'NOT_FOUND', 'UNAUTHENTICATED', 'empty', 'null', 'value']);
  });

  test('give an administrator of the server of conversations what they give a stranger', () => {
    const answersTo = (role: Role) => [
      ...new Set(
        observations
          .filter(({ call, coordinate }) => call.role === role && !isForOperators(call.field) && !isForOperators(coordinate))
          .map(({ call, coordinate, outcome }) => [call.kind, call.field, call.target, coordinate, outcome].join(' ')),
      ),
    ];
    expect(answersTo('administrator').sort()).toEqual(answersTo('stranger').sort());
    expect(of('Viewer.role').some(({ call, value }) => call.role === 'administrator' && value === 'ADMIN')).toBe(true);
  });

  test('have none too many', () => {
    const known = new Set(coordinates());
    const ruled = Object.entries(ACCESS_RULES).flatMap(([type, fields]) => Object.keys(fields).map((field) => `${type}.${field}`));
    expect(ruled.filter((coordinate) => !known.has(coordinate))).toEqual([]);
    const used = new Set(coordinates().map((coordinate) => ruleOf(coordinate)));
    expect([...Object.keys(ROOT_RULES), ...Object.keys(FIELD_RULES)].filter((rule) => !used.has(rule))).toEqual([]);
    expect(Object.keys(OBJECT_RULES).sort()).toEqual([...new Set(Object.values(OBJECT_ACCESS))].sort());
  });

  test('leave what one execution answers to many to whoever is given the event', () => {
    expect(SHAREABLE_COORDINATES.filter((coordinate) => ruleOf(coordinate) !== 'PARENT')).toEqual([]);
  });

  test('are needed: a schema with a field that has none is not built', () => {
    const { topic: _, ...rest } = ACCESS_RULES.Conversation;
    // Such a table does not compile; it stands for one that lost its types on the way.
    const rules = { ...ACCESS_RULES, Conversation: rest } as AccessRules;
    expect(() => new Engine(server, { rules })).toThrow('Conversation.topic must have a rule');
  });
});

const checkedFields = coordinates().filter((coordinate) => !['ANYONE', 'PARENT'].includes(ruleOf(coordinate)));

describe('a rule that is weakened is seen', () => {
  async function seen(field: string, rule: string, role: Role): Promise<readonly string[]> {
    const weak = new Engine(server, { rules: withRule(field, rule) });
    const [call] = callsOf(field, 'GROUP', [role]);
    if (call === undefined) throw new Error(`There must be a call of ${field}.`);
    return violations(await weak.run(call, worlds.GROUP));
  }

  test.each(checkedFields.filter(isRoot))('in front of %s', async (field) => {
    expect(await seen(field, 'ANYONE', 'anonymous')).not.toEqual([]);
  });

  test.each(checkedFields.filter((field) => isRoot(field) && !isForService(field)))('for the service, in front of %s', async (field) => {
    expect(await seen(field, 'SIGNED_IN_OR_SERVICE', 'service')).not.toEqual([]);
  });

  test.each(checkedFields.filter(isForOperators))('for who is no administrator, in front of %s', async (field) => {
    expect(await seen(field, 'SIGNED_IN', 'stranger')).not.toEqual([]);
  });

  test.each(checkedFields.filter((field) => field.startsWith('Conversation.')))('in front of %s', async (field) => {
    const weak = new Engine(server, { rules: withRule(field, 'PARENT') });
    const observed: Observation[] = [];
    for (const call of [...callsOf('Query.conversation', 'CHANNEL'), ...callsOf('Mutation.updateConversation', 'CHANNEL', ['owner'])])
      observed.push(...(await weak.run(call, worlds.CHANNEL)));
    expect(violations(observed)).not.toEqual([]);
  });

  test('in the table: no other rule would describe what root fields do', () => {
    const unseen = checkedFields.filter(isRoot).flatMap((field) =>
      ['ANYONE', 'SIGNED_IN', 'SIGNED_IN_OR_SERVICE', 'OPERATOR']
        // Of the two rules for operators one differs from the other in development alone.
        .filter(
          (rule) =>
            rule !== ruleOf(field) &&
            !(rule === 'OPERATOR' && isForOperators(field)) &&
            violations(of(field), { ...TABLES, rules: withRule(field, rule) }).length === 0,
        )
        .map((rule) => `${field}: ${rule}`),
    );
    expect(unseen).toEqual([]);
  });

  test('in the table: no weaker rule would describe what conversations answer', () => {
    const weaker: Readonly<Record<string, readonly string[]>> = { MEMBER: ['VISIBLE', 'PARENT'], MEMBER_OR_TOTAL: ['VISIBLE', 'PARENT'] };
    const unseen = checkedFields.flatMap((field) =>
      (weaker[ruleOf(field)] ?? [])
        .filter((rule) => !isRoot(field) && violations(of(field), { ...TABLES, rules: withRule(field, rule) }).length === 0)
        .map((rule) => `${field}: ${rule}`),
    );
    expect(unseen).toEqual([]);
  });

  test.each(
    Object.entries({
      User: 'SELF',
      Viewer: 'SIGNED_IN',
      Session: 'SIGNED_IN',
      Conversation: 'SIGNED_IN',
      Member: 'VISIBLE',
      Message: 'VISIBLE',
    }),
  )('in the table: of who is given a %s', (type, rule) => {
    expect(violations([...of('Query.node'), ...of('Query.nodes')], { ...TABLES, objects: { ...OBJECT_ACCESS, [type]: rule } })).not.toEqual(
      [],
    );
  });
});

describe('a resolver that answers as if somebody else had asked is seen', () => {
  // Of the others the answer is the same for everybody whom the check in front lets in.
  const leaky = rootFields().filter((field) => !['ANYONE', 'SIGNED_IN', 'CHANNEL'].includes(ruleOf(field)) && !isForService(field));
  async function leak(field: string, world: World, role: Role): Promise<readonly string[]> {
    const { viewer } = await engine.contextOf(world, role);
    const leaking = new Engine(server, { contextFor: (context) => ({ ...context, viewer }) });
    const observed: Observation[] = [];
    for (const call of callsOf(field, 'GROUP', ['stranger'])) observed.push(...(await leaking.run(call, world)));
    return violations(observed);
  }

  test.each(leaky)('%s', async (field) => {
    const world = field.startsWith('Mutation.') ? await createWorld('GROUP', worlds.GROUP.cast) : worlds.GROUP;
    expect(await leak(field, world, ruleOf(field) === 'AUTHOR' ? 'member' : 'owner')).not.toEqual([]);
  });

  test('User.presence', async () => {
    await using _socket = await worlds.GROUP.cast.owner.connect();
    const told = await until(
      () => leak('Query.user', worlds.GROUP, 'owner'),
      (texts) => texts.length > 0,
    );
    expect(told.join()).toMatch(/^User.presence.* must be OFFLINE, got ONLINE$/);
  });
});

describe('what exists and what does not are the same to an outsider, to the letter', () => {
  async function compare(field: string, world: World, ghost: ReturnType<typeof createGhost>): Promise<void> {
    for (const call of callsOf(field, world.kind, ['anonymous', 'service', 'stranger', 'administrator'])) {
      // An outsider has no cursor of the conversation; with one they would know already.
      const given = withoutCursors(field, await engine.variables(call, world));
      if (!ghost.isNamedBy(given)) continue;
      for (const variables of [given, ...ghost.variations(field, given)]) {
        const answer = await answerTo(field, world, call.role, variables);
        expect(ghost.unmask(await answerTo(field, world, call.role, ghost.variables(variables)))).toBe(answer);
      }
    }
  }

  test.each(rootFields())('by %s: a GROUP and a DIRECT conversation', async (field) => {
    for (const world of [worlds.GROUP, worlds.DIRECT]) await compare(field, world, createGhost(world.conversationId));
  });

  test.each(rootFields())('by %s: messages and members of a CHANNEL', async (field) => {
    await compare(field, worlds.CHANNEL, createGhost(worlds.CHANNEL.conversationId, 'contents'));
  });
});

describe('streams', () => {
  test.each(['GROUP', 'CHANNEL'] as const)('an outsider of a %s receives nothing of it', async (kind) => {
    const world = await createWorld(kind, worlds[kind].cast);
    const field = 'Subscription.viewerEvents';
    const context = await engine.contextOf(world, 'stranger');
    const events = await engine.subscribe(field, context, {});
    if (!(Symbol.asyncIterator in events)) throw new Error('A stream must open.');
    expect(await next(field, events)).toMatchObject({ __typename: 'CaughtUp' });
    await stir(world);
    const own = await world.cast.stranger.create({ title: 'Their own' });
    await world.cast.stranger.send(own.id, 'The first to arrive');
    expect(await next(field, events)).toMatchObject({ conversationId: own.id });
    await events.return?.();
    const refused = await engine.subscribe(
      'Subscription.conversationEvents',
      context,
      await engine.variables({ field: 'Subscription.conversationEvents', kind, role: 'stranger', target: null }, world),
    );
    expect(Symbol.asyncIterator in refused ? null : refused.errors?.map(codeOf)).toEqual(['NOT_FOUND']);
  });

  test.each(['GROUP', 'CHANNEL'] as const)('who is removed from a %s learns of that, and of nothing after it', async (kind) => {
    const world = await createWorld(kind, worlds[kind].cast);
    const { owner, extra } = world.cast;
    const person = { ...world, cast: { ...world.cast, stranger: extra } };
    const context = await engine.contextOf(person, 'stranger');
    const all = await engine.subscribe('Subscription.viewerEvents', context, {});
    const one = await engine.subscribe('Subscription.conversationEvents', context, { v0: world.conversationId });
    if (!(Symbol.asyncIterator in all) || !(Symbol.asyncIterator in one)) throw new Error('Streams must open.');
    for (const [field, events] of [
      ['Subscription.viewerEvents', all],
      ['Subscription.conversationEvents', one],
    ] as const)
      expect(await next(field, events)).toMatchObject({ __typename: 'CaughtUp' });
    await owner.remove(world.conversationId, extra);
    await stir(world);
    const own = await extra.create({ title: 'Their own' });
    await extra.send(own.id, 'The next to arrive');
    const removal = { __typename: 'MemberChanged', memberChange: 'REMOVED', user: { id: extra.id }, member: null };
    expect(await next('Subscription.viewerEvents', all)).toMatchObject(removal);
    // In another of the worlds somebody may still be typing.
    let after = await next('Subscription.viewerEvents', all);
    while (after['__typename'] === 'TypingChanged' && after['conversationId'] !== world.conversationId)
      after = await next('Subscription.viewerEvents', all);
    expect(after).toMatchObject({ conversationId: own.id });
    expect(await next('Subscription.conversationEvents', one)).toMatchObject(removal);
    expect((await one.next()).done).toBe(true);
    await all.return?.();
  });
});

function of(field: string): readonly Observation[] {
  return observations.filter(({ coordinate }) => coordinate === field);
}

function isRoot(coordinate: string): boolean {
  return isRootType(coordinate.split('.')[0]);
}

/** Whether its rule lets the service in as nobody. */
function isForService(field: string): boolean {
  return ruleOf(field) === 'SIGNED_IN_OR_SERVICE' || isForOperators(field);
}

function isForOperators(field: string): boolean {
  return ['OPERATOR', 'OPERATOR_OR_DEVELOPMENT'].includes(ruleOf(field));
}

function withRule(coordinate: string, rule: string): AccessRules {
  const [type = '', field = ''] = coordinate.split('.');
  const fields: Readonly<Record<string, object>> = ACCESS_RULES;
  // One of the vocabulary, though not of what the table's type allows there.
  return { ...ACCESS_RULES, [type]: { ...fields[type], [field]: rule } } as AccessRules;
}

/** What is said, without what differs in every answer. */
async function answerTo(field: string, world: World, role: Role, variables: Readonly<Record<string, unknown>>): Promise<string> {
  const context = await engine.contextOf(world, role);
  const result = field.startsWith('Subscription.')
    ? await engine.subscribe(field, context, variables)
    : await engine.execute(field, context, variables);
  if (Symbol.asyncIterator in result) {
    await result.return?.();
    return 'a stream';
  }
  return JSON.stringify({ data: result.data, errors: result.errors?.map((error) => [codeOf(error), error.message, error.path]) });
}

/** Something of every kind that the members are told. */
async function stir({ cast: { owner, member, newcomer }, conversationId, messageId }: World): Promise<void> {
  await owner.send(conversationId, 'Nobody outside is to know');
  await member.edit(messageId, 'Nor this');
  await owner.add(conversationId, newcomer);
  await owner.setTyping(conversationId);
  await member.markRead(conversationId, 2);
  await owner.ask('mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { cursor } }', {
    input: { conversationId, topic: 'Nor what it is about' },
  });
}

async function next(field: string, events: AsyncIterableIterator<ExecutionResult>) {
  const { done, value } = await events.next();
  if (done === true) throw new Error(`An event must come of ${field}, got the end.`);
  return eventOf(field, value);
}
