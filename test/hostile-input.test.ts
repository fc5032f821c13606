import { readdirSync, readFileSync } from 'node:fs';
import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { post } from './kit/http.ts';
import { PASSWORD, type Person } from './kit/person.ts';
import { TestServer } from './kit/server.ts';
import type { GraphQLFault, SocketClient } from './kit/ws-client.ts';

const SERVICE_TOKEN = 'the-service-token-of-the-hostile-input-test';

/** What no text in the whole API may stumble over, be it taken or refused. */
const HOSTILE: readonly string[] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud83d',
  'a\udc00b',
  '\u202eevil\u2066',
  '\u200b\u2060\u3164',
  'e\u0301\u0301\u0301'.repeat(60),
  '\ufeff\ufffe\uffff',
  '\r\n\u001b[31m{"level":"error"}',
  "'; DROP TABLE users; --",
  '\\u0000%_\\',
  '$1 {{1}}',
  '__proto__',
  'constructor',
  'usr_00000000000000000000000000',
  'msg_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz',
  '9'.repeat(400),
  '-1',
  '1e999',
  '9999-12-31T23:59:59.999-23:59',
  '0001-01-01T00:00:00Z',
  '😀'.repeat(9_000),
  'x'.repeat(100_000),
];
const NUMBERS: readonly unknown[] = [-1, 0, 2 ** 31 - 1, -(2 ** 31), 2 ** 53, 1e308, 0.5, '1', Number.NaN];
/** In the place of anything. */
const SHAPES: readonly unknown[] = [
  null,
  [],
  {},
  [[[[]]]],
  JSON.parse('{ "__proto__": { "polluted": true }, "constructor": { "prototype": { "polluted": true } } }'),
  true,
  [null],
];

type Root = 'query' | 'mutation' | 'subscription';
type Place = readonly (string | number)[];
type Attack = { readonly document: string; readonly variables: Readonly<Record<string, unknown>>; readonly title: string };

const folder = new URL('../schema/', import.meta.url);
const schema = buildSchema(
  readdirSync(folder)
    .filter((name) => name.endsWith('.graphql'))
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n'),
);

let server: TestServer;
let eve: Person;
let socket: SocketClient;
let known: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  server = await TestServer.start({ config: { serviceToken: SERVICE_TOKEN } });
  [eve] = await server.people('eve');
  const [ben] = await server.people('ben');
  const { id } = await eve.create({ members: [ben] });
  const message = await eve.send(id, 'hello');
  known = {
    id,
    ids: [id],
    conversationId: id,
    messageId: message.id,
    around: message.id,
    userId: ben.id,
    userIds: [ben.id],
    memberIds: [ben.id],
    handle: 'somebody_else',
    displayName: 'Some Body',
    password: PASSWORD,
    accessToken: eve.accessToken,
    emoji: '👍',
    body: 'text',
    title: 'Title',
    topic: 'Topic',
    clientMessageId: 'key',
    externalId: 'external',
    avatarUrl: 'https://example.com/a.png',
  };
  socket = await eve.connect();
});
afterAll(async () => {
  await socket[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const ROOTS: readonly (readonly [Root, Readonly<Record<string, GraphQLField<unknown, unknown>>>])[] = [
  ['query', schema.getQueryType()?.getFields() ?? {}],
  ['mutation', schema.getMutationType()?.getFields() ?? {}],
];
/** Of objects that a query can reach, those fields that have arguments. */
const NESTED: readonly (readonly [way: string, type: string])[] = [
  ['viewer', 'Viewer'],
  ['conversation(id: $known)', 'Conversation'],
];

test('no text, number or shape in the place of any argument is more than refused', async () => {
  const attacks = [
    ...ROOTS.flatMap(([root, fields]) => Object.values(fields).flatMap((field) => attacksOn(field, (call) => [root, call]))),
    ...NESTED.flatMap(([way, type]) => {
      const found = schema.getType(type);
      const fields = isObjectType(found) ? Object.values(found.getFields()).filter(({ args }) => args.length > 0) : [];
      return fields.flatMap((field) => attacksOn(field, (call) => ['query', `${way} { ${call} }`]));
    }),
  ];
  expect(attacks.length).toBeGreaterThan(1_000);
  const failures: string[] = [];
  let sent = 0;
  for (const attack of attacks) {
    const isSignOut = attack.document.includes('signOut');
    const [{ accessToken }] = isSignOut ? await server.people('leaver') : [eve];
    const { status, body } = await post(server.url, attack.document, { accessToken, variables: attack.variables });
    if (![200, 400].includes(status) || isBroken(body.errors))
      failures.push(`POST ${status} ${attack.title} ${JSON.stringify(body.errors)}`);
    const asService = await post(server.url, attack.document, {
      variables: attack.variables,
      headers: { Authorization: `Bearer ${SERVICE_TOKEN}` },
    });
    if (![200, 400].includes(asService.status) || isBroken(asService.body.errors))
      failures.push(`SERVICE ${asService.status} ${attack.title} ${JSON.stringify(asService.body.errors)}`);
    if (isSignOut) continue;
    // A socket takes a hundred messages a second.
    if (++sent % 90 === 0) {
      await socket[Symbol.asyncDispose]();
      socket = await eve.connect();
    }
    socket.subscribe('a', attack.document, attack.variables);
    const { type, payload } = await socket.next();
    const errors =
      type === 'error' ? (payload as readonly GraphQLFault[]) : (payload as { readonly errors?: readonly GraphQLFault[] }).errors;
    if (isBroken(errors)) failures.push(`SOCKET ${attack.title} ${JSON.stringify(errors)}`);
    if (type !== 'error') await socket.completionOf('a');
  }
  expect(failures).toEqual([]);
  expect({}).not.toHaveProperty('polluted');
}, 600_000);

function isBroken(errors: readonly GraphQLFault[] | undefined): boolean {
  return (errors ?? []).some(({ extensions }) => extensions?.['code'] === 'INTERNAL_SERVER_ERROR' || extensions?.['code'] === undefined);
}

/** The field with everything right save one place, once for each place and each thing that can be wrong there. */
function attacksOn(field: GraphQLField<unknown, unknown>, frame: (call: string) => readonly [Root, string]): readonly Attack[] {
  if (field.args.length === 0) return [];
  const selection = isLeafType(getNamedType(field.type)) ? '' : ' { __typename }';
  return places(field.args)
    .flatMap(({ place, values }) =>
      values.map((value) => {
        const used = field.args.filter(({ name, type }) => isNonNullType(type) || name === place[0]);
        const call = `${field.name}(${used.map(({ name }) => `${name}: $${name}`).join(', ')})${selection}`;
        const [root, text] = frame(call);
        const isFramed = text.includes('$known');
        const types = [...used.map(({ name, type }) => `$${name}: ${String(type)}`), ...(isFramed ? ['$known: ID!'] : [])];
        const right = Object.fromEntries(used.map((argument) => [argument.name, rightValue(argument, place)]));
        return {
          document: `${root} (${types.join(', ')}) { ${text} }`,
          variables: () => ({ ...(put(right, place, value) as object), ...(isFramed ? { known: known['id'] } : {}) }),
          title: `${field.name} ${place.join('.')} ${JSON.stringify(value)?.slice(0, 60)}`,
        };
      }),
    )
    .map(({ variables, ...rest }) => ({ ...rest, variables: variables() }));
}

function places(
  args: readonly (GraphQLArgument | GraphQLInputField)[],
  above: Place = [],
): readonly { place: Place; values: readonly unknown[] }[] {
  return args.flatMap(({ name, type }) => {
    const place = [...above, name];
    const named = getNamedType(type);
    if (isInputObjectType(named)) return [{ place, values: SHAPES }, ...places(Object.values(named.getFields()), place)];
    const isText = !isEnumType(named) && !['Int', 'Boolean'].includes(named.name);
    const values = isText ? [...HOSTILE, ...SHAPES] : [...NUMBERS, ...SHAPES, ...HOSTILE.slice(0, 3)];
    return isList(type) ? [{ place, values: [...SHAPES, ...values.map((value) => [value])] }] : [{ place, values }];
  });
}

function isList(type: GraphQLInputType): boolean {
  return isListType(type) || (isNonNullType(type) && isListType(type.ofType));
}

/** As a client would give it: what is required, and what is to be attacked. */
function rightValue({ name, type }: GraphQLArgument | GraphQLInputField, place: Place): unknown {
  const named = getNamedType(type);
  if (isInputObjectType(named))
    return Object.fromEntries(
      Object.values(named.getFields())
        .filter((field) => isNonNullType(field.type) || place.includes(field.name))
        .map((field) => [field.name, rightValue(field, place)]),
    );
  if (name in known) return known[name];
  if (isEnumType(named)) return named.getValues()[0]?.name;
  if (named.name === 'Boolean') return false;
  if (named.name === 'Int') return 1;
  return isList(type) ? [] : 'text';
}

function put(target: unknown, [first, ...rest]: Place, value: unknown): unknown {
  if (first === undefined) return value;
  const object = (target ?? {}) as Record<string | number, unknown>;
  return { ...object, [first]: put(object[first], rest, value) };
}
