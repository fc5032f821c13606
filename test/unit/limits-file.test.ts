import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSchema } from 'graphql';
import { afterAll, expect, test } from 'vitest';
import { DEFAULT_LIMITS_FILE, LimitsFileError, readLimitsFile } from '../../src/config/limits-file.ts';
import { unknownFields } from '../../src/graphql/limited-fields.ts';
import { readTypeDefs } from '../../src/graphql/schema.ts';
import { encodeId } from '../../src/platform/id.ts';
import { DEFAULT_POLICIES } from '../kit/limits/policies.ts';

const directory = mkdtempSync(join(tmpdir(), 'rookery-limits-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const SCHEMA = buildSchema(readTypeDefs().join('\n'));
const ADA = encodeId('usr', '01234567-89ab-7def-8123-456789abcdef');

// Whatever JSON holds.
// biome-ignore lint/suspicious/noExplicitAny: the test puts all sorts of things where they do not belong.
type File = any;

function problemsOf(amend: (file: File) => void): readonly string[] {
  const file: File = JSON.parse(readFileSync(DEFAULT_LIMITS_FILE, 'utf8'));
  amend(file);
  const path = join(directory, 'limits.json');
  writeFileSync(path, JSON.stringify(file));
  try {
    return unknownFields(SCHEMA, readLimitsFile(path));
  } catch (error) {
    if (error instanceof LimitsFileError) return error.problems;
    throw error;
  }
}

test.each<readonly [string, (file: File) => void, RegExp]>([
  ['an unknown key', (file) => (file.polices = {}), /^\/polices is not known/],
  ['an unknown key of a policy', (file) => (file.policies.send.windowMs = 10), /^\/policies\/send\/windowMs is not known/],
  ['an unknown tier', (file) => (file.policies.send.max.GOLD = 10), /^\/policies\/send\/max\/GOLD is not known/],
  ['a missing tier', (file) => delete file.policies.send.max.FREE, /^\/policies\/send\/max .*"FREE"/],
  ['a missing tier of sockets', (file) => delete file.sockets.PREMIUM, /^\/sockets .*"PREMIUM"/],
  ['a missing policy', (file) => delete file.policies.signIn, /^\/policies .*"signIn"/],
  ['a maximum of none', (file) => (file.policies.send.max.FREE = 0), /^\/policies\/send\/max\/FREE .*Got 0/],
  ['a maximum below none', (file) => (file.operationCost.FREE = -1), /^\/operationCost\/FREE .*Got -1/],
  ['a part of a call', (file) => (file.policies.send.max.FREE = 1.5), /^\/policies\/send\/max\/FREE .*Got 1\.5/],
  ['a maximum in words', (file) => (file.policies.send.max.FREE = 'many'), /^\/policies\/send\/max\/FREE .*Got "many"/],
  ['a window of no time', (file) => (file.policies.send.windowSeconds = 0), /^\/policies\/send\/windowSeconds .*Got 0/],
  ['a window of a year', (file) => (file.policies.send.windowSeconds = 31_536_000), /^\/policies\/send\/windowSeconds/],
  ['an unknown scope', (file) => (file.policies.send.scope = 'planet'), /^\/policies\/send\/scope .*Got "planet"/],
  ['a field that is none', (file) => (file.policies.send.fields = ['sendMessage']), /^\/policies\/send\/fields\/0 .*Got "sendMessage"/],
  [
    'a field that is not there',
    (file) => (file.policies.send.fields = ['Mutation.shout']),
    /^\/policies\/send\/fields\/0 .*got "Mutation\.shout"/,
  ],
  [
    'an argument that is not there',
    (file) => (file.policies.send.fields = ['Mutation.sendMessage(input.volume)']),
    /^\/policies\/send\/fields\/0 must name an argument .*got "input\.volume"/,
  ],
  [
    'a conversation that is not said',
    (file) => (file.policies.conversation.fields = ['Mutation.setPresence']),
    /^\/policies\/conversation\/fields\/0 must have the argument input\.conversationId/,
  ],
  ['no fields where they are counted', (file) => delete file.policies.send.fields, /^\/policies\/send\/fields must be given/],
  ['fields where they are not', (file) => (file.policies.cost.fields = []), /^\/policies\/cost\/fields must not be given/],
  ['no limit of operations', (file) => (file.policies.operations.max.FREE = null), /^\/policies\/operations\/max\/FREE must be a number/],
  ['nobody without a limit', (file) => (file.policies.signIn.max.ANONYMOUS = null), /^\/policies\/signIn\/max\/ANONYMOUS must be a number/],
  ['an operation that could never pass', (file) => (file.operationCost.FREE = 30_000), /^\/operationCost\/FREE must be at most 20000/],
  ['a user that is none', (file) => (file.users.usr_ada = { max: { send: 1 } }), /^\/users\/usr_ada must be the id of a user/],
  [
    'a policy of a user that is none',
    (file) => (file.users[ADA] = { max: { shout: 1 } }),
    /^\/users\/usr_\w+\/max\/shout must be a policy/,
  ],
  [
    'an operation of a user that could never pass',
    (file) => (file.users[ADA] = { max: { cost: 8_999 }, operationCost: 9_000 }),
    /^\/users\/usr_\w+\/max\/cost must be at least 9000, .* got 8999/,
  ],
  [
    'a user with less points than one operation',
    (file) => (file.users[ADA] = { max: { cost: 1_999 } }),
    /must be at least 2000, .* got 1999/,
  ],
])('%s is refused, by its path', (_title, amend, expected) => {
  const problems = problemsOf(amend);
  expect(problems.length).toBeGreaterThan(0);
  expect(
    problems.some((problem) => expected.test(problem)),
    problems.join('\n'),
  ).toBe(true);
});

test('a file that is not there, or no JSON, is refused with its path', () => {
  expect(() => readLimitsFile(join(directory, 'nowhere.json'))).toThrow(/nowhere\.json must be mended/);
  writeFileSync(join(directory, 'broken.json'), '{');
  expect(() => readLimitsFile(join(directory, 'broken.json'))).toThrow(LimitsFileError);
});

test('a policy of one’s own, and limits for one user, are one entry each', () => {
  const amend = (file: File) => {
    file.policies.react = { ...file.policies.send, fields: ['Mutation.addReaction', 'Mutation.removeReaction'] };
    file.users[ADA] = { max: { send: 500, react: 500 }, operationCost: 9_000 };
  };
  expect(problemsOf(amend)).toEqual([]);
});

test('what Rookery comes with is the table that is promised', () => {
  const { policies, operationCost } = DEFAULT_POLICIES;
  const table = Object.fromEntries(
    policies.map(({ name, windowMs, scope, max }) => [name, [windowMs / 1_000, scope, ...Object.values(max)]]),
  );
  expect(table).toEqual({
    operations: [60, 'user', 60, 120, 600, 2_400, 12_000],
    cost: [60, 'user', 2_000, 20_000, 100_000, 400_000, 2_000_000],
    send: [10, 'user', null, 10, 50, 100, 300],
    conversation: [1, 'conversation', null, 10, 30, 50, 200],
    search: [60, 'user', null, 10, 60, 300, 1_200],
    signIn: [60, 'address', 5, 10, 10, 10, 10],
    signInAccount: [60, 'account', 5, 10, 10, 10, 10],
    signUp: [3_600, 'address', 5, null, null, null, null],
    subscribe: [60, 'user', 10, 60, 300, 1_200, 6_000],
    resume: [60, 'user', 30, 120, 600, 2_400, 12_000],
  });
  expect(Object.values(operationCost)).toEqual([500, 2_000, 5_000, 10_000, 20_000]);
});

test('every field that writes a message, searches, signs in or subscribes is limited', () => {
  const covered = new Set(DEFAULT_POLICIES.policies.flatMap(({ fields }) => fields.map(({ coordinate }) => coordinate)));
  const wanted = ['Mutation.sendMessage', 'Mutation.signIn', 'Mutation.signUp'];
  const subscriptions = Object.keys(SCHEMA.getSubscriptionType()?.getFields() ?? {}).map((name) => `Subscription.${name}`);
  const viewer = SCHEMA.getType('Viewer');
  const searches = viewer !== undefined && 'getFields' in viewer && 'searchMessages' in viewer.getFields() ? ['Viewer.searchMessages'] : [];
  const filter = SCHEMA.getType('MessageFilter');
  const filters = filter !== undefined && 'getFields' in filter && 'text' in filter.getFields() ? ['Conversation.messages'] : [];
  expect([...wanted, ...subscriptions, ...searches, ...filters].filter((coordinate) => !covered.has(coordinate))).toEqual([]);
});
