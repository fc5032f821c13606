import { describe, expect, test } from 'vitest';
import { check } from './checker.ts';
import type { Observation, Opened, Read, Send, Told, Truth } from './observation.ts';

type Part<Kind extends Observation['kind']> = Partial<Extract<Observation, { readonly kind: Kind }>>;

/** Ada and Grace are members since 1 and 2; what the tests do begins at 3. */
const MEMBERS: Truth['members'] = [
  { user: 'ada', joinedSequence: 1, leftSequence: null },
  { user: 'grace', joinedSequence: 2, leftSequence: null },
];

const send = (sequence: number, at: number, more: Part<'send'> = {}): Send => ({
  kind: 'send',
  begunAt: at - 1,
  at,
  node: 'one',
  writer: 'ada',
  conversation: 'team',
  key: `k${sequence}`,
  content: `c${sequence}`,
  answer: { outcome: 'acknowledged', sequence, position: sequence - 2 },
  ...more,
});
const change = (sequence: number | null, at: number, more: Part<'change'>): Observation => ({
  kind: 'change',
  begunAt: at - 1,
  at,
  node: 'one',
  actor: 'ada',
  conversation: 'team',
  change: 'edit',
  answer: { outcome: 'acknowledged', sequence },
  ...more,
});
const opened = (more: Part<'opened'> = {}): Opened => ({
  kind: 'opened',
  at: 1,
  node: 'one',
  stream: 's1',
  reader: 'grace',
  conversation: 'team',
  cursor: null,
  ...more,
});
const caughtUp = (sequence = 2, more: Part<'told'> = {}): Told =>
  told(sequence, 2, { event: 'CaughtUp', previousSequence: sequence, ...more });
const told = (sequence: number, at: number, more: Part<'told'> = {}): Told => ({
  kind: 'told',
  at,
  stream: 's1',
  event: 'MessageSent',
  conversation: 'team',
  previousSequence: sequence - 1,
  sequence,
  cursor: `p${sequence}`,
  ...more,
});
const sent = (sequence: number, at: number, more: Part<'told'> = {}): Told =>
  told(sequence, at, { message: sequence, position: sequence - 2, author: 'ada', key: `k${sequence}`, content: `c${sequence}`, ...more });
const row = (sequence: number, more: Partial<Truth['messages'][number]> = {}): Truth['messages'][number] => ({
  sequence,
  position: sequence - 2,
  author: 'ada',
  key: `k${sequence}`,
  content: `c${sequence}`,
  ...more,
});
const truth = (sequence: number, more: Part<'truth'> = {}): Truth => ({
  kind: 'truth',
  at: 10_000,
  conversation: 'team',
  base: 2,
  sequence,
  messages: Array.from({ length: sequence - 2 }, (_, index) => row(index + 3)),
  members: MEMBERS,
  ...more,
});
const read = (at: number, more: Part<'read'> = {}): Read => ({
  kind: 'read',
  begunAt: at - 1,
  at,
  node: 'one',
  reader: 'grace',
  conversation: 'team',
  isFound: true,
  ...more,
});
const level: Observation = { kind: 'level', at: 9_000 };
const ended = (at: number, how: 'cut' | 'completed' | 'failed', code?: string): Observation => ({
  kind: 'ended',
  at,
  stream: 's1',
  how,
  ...(code === undefined ? {} : { code }),
});

/** Grace is removed by the change 4, between two messages. */
const removal = [
  send(3, 10),
  change(4, 20, { change: 'remove', user: 'grace' }),
  send(5, 30, { answer: { outcome: 'acknowledged', sequence: 5, position: 2 } }),
];
const afterRemoval = truth(5, {
  messages: [row(3), row(5, { position: 2 })],
  members: [MEMBERS[0] ?? { user: 'ada', joinedSequence: 1, leftSequence: null }, { user: 'grace', joinedSequence: 2, leftSequence: 4 }],
});
const departure = (at: number, more: Part<'told'> = {}): Told =>
  told(4, at, { event: 'MemberChanged', user: 'grace', isMember: false, change: 'REMOVED', ...more });
/** Message 3 is edited by the change 4. */
const edit = [send(3, 10), change(4, 20, { message: 3, content: 'new' })];
const afterEdit = truth(4, { messages: [row(3, { content: 'new' })] });
const edited = (sequence: number, at: number, more: Part<'told'> = {}): Told =>
  told(sequence, at, { event: 'MessageChanged', message: 3, content: 'new', change: 'EDITED', ...more });

/** Grace is removed, is back and gone again before anybody looks, and then back for good; told so by an event that goes on after `from`. */
const shortMembership = (from: number): readonly Observation[] => [
  opened({ conversation: null }),
  caughtUp(2, { conversation: null, previousSequence: null, sequence: null }),
  ...[send(3, 10), sent(3, 11), change(4, 20, { change: 'remove', user: 'grace' }), departure(21)],
  ...(['join', 'remove', 'join'] as const).map((each, index) => change(5 + index, 30 + index, { change: each, user: 'grace' })),
  told(7, 40, { event: 'MemberChanged', user: 'grace', isMember: true, change: 'SEVERAL', previousSequence: from }),
  level,
  truth(7, {
    messages: [row(3)],
    members: [MEMBERS[0] ?? afterRemoval.members[0], { user: 'grace', joinedSequence: 7, leftSequence: null }].flatMap(
      (each) => each ?? [],
    ),
  }),
];

function rules(observations: readonly Observation[]): readonly string[] {
  return [...new Set(check(observations).map(({ rule }) => rule))].sort();
}

describe('the checker says nothing of', () => {
  const good: Readonly<Record<string, readonly Observation[]>> = {
    'messages that are told live': [opened(), caughtUp(), send(3, 10), sent(3, 11), send(4, 20), sent(4, 21), level, truth(4)],
    'a reader who comes back elsewhere and is told what is missing': [
      ...[opened(), caughtUp(), send(3, 10), sent(3, 11), ended(12, 'cut'), send(4, 20), send(5, 22)],
      opened({ stream: 's2', node: 'two', at: 30, cursor: 'p3' }),
      ...[sent(4, 31, { stream: 's2' }), sent(5, 32, { stream: 's2' }), caughtUp(5, { stream: 's2', at: 33 }), level, truth(5)],
    ],
    'a replay that tells a message once, with what was done to it since': [
      ...[opened(), caughtUp(), ended(3, 'cut'), ...edit, opened({ stream: 's2', at: 30, cursor: 'p2' })],
      ...[
        sent(3, 31, { stream: 's2', content: 'new' }),
        told(4, 32, { stream: 's2', event: 'CaughtUp', previousSequence: 3 }),
        level,
        afterEdit,
      ],
    ],
    'viewerEvents that repeat the last moments': [
      ...[
        opened({ conversation: null }),
        told(0, 2, { event: 'CaughtUp', conversation: null, previousSequence: null, sequence: null, cursor: 'v0' }),
      ],
      ...[send(3, 10), sent(3, 11, { cursor: 'v1' }), send(4, 12), sent(4, 13, { cursor: 'v1' }), ended(14, 'cut')],
      opened({ stream: 's2', at: 20, conversation: null, cursor: 'v1' }),
      ...[sent(3, 21, { stream: 's2', cursor: 'v2' }), sent(4, 22, { stream: 's2', cursor: 'v2' })],
      told(0, 23, { stream: 's2', event: 'CaughtUp', conversation: null, previousSequence: null, sequence: null, cursor: 'v3' }),
      ...[level, truth(4)],
    ],
    'a removal that is told, and then the end': [
      opened(),
      caughtUp(),
      ...removal,
      sent(3, 11),
      departure(21),
      ended(22, 'completed'),
      level,
      afterRemoval,
    ],
    'a retry that answers the first message': [
      send(3, 10, { answer: { outcome: 'unknown' } }),
      send(3, 20),
      send(3, 30, { node: 'two', content: 'other', answer: { outcome: 'refused', code: 'CONFLICT' } }),
      truth(3),
    ],
    'an edit of which nobody knows whether it was done': [
      ...[opened(), caughtUp(), send(3, 10), sent(3, 11), change(null, 20, { message: 3, content: 'new', answer: { outcome: 'unknown' } })],
      ...[edited(4, 21), level, afterEdit],
    ],
    'an unread count while messages come': [
      send(3, 10),
      send(4, 20),
      read(15, { unread: 1 }),
      read(20, { unread: 2 }),
      read(19.5, { unread: 1 }),
      truth(4),
    ],
    'a membership between two departures that is folded into the return': shortMembership(4),
    'a role that was inherited, and asked for once more without an answer': [
      ...[change(3, 10, { actor: 'ada', change: 'leave', user: 'ada' }), change(5, 20, { change: 'rename' })],
      change(null, 40, { change: 'role', user: 'grace', answer: { outcome: 'unknown' } }),
      truth(5, {
        messages: [],
        members: [
          { user: 'ada', joinedSequence: 1, leftSequence: 3 },
          { user: 'grace', joinedSequence: 2, leftSequence: null },
        ],
        log: [
          { sequence: 3, change: 'leave', user: 'ada' },
          { sequence: 4, change: 'role', user: 'grace' },
          { sequence: 5, change: 'rename' },
        ],
      }),
    ],
    'a removal of nobody, and one that was done, of which who has left by then is told nothing': [
      change(null, 10, { change: 'remove', user: 'joan' }),
      change(3, 20, { change: 'join', user: 'joan' }),
      change(null, 30, { actor: 'ada', change: 'remove', user: 'joan', answer: { outcome: 'refused', code: 'NOT_FOUND' } }),
      change(5, 31, { actor: 'ada', change: 'leave', user: 'ada' }),
      truth(5, {
        messages: [],
        members: [
          { user: 'ada', joinedSequence: 1, leftSequence: 5 },
          { user: 'grace', joinedSequence: 2, leftSequence: null },
          { user: 'joan', joinedSequence: 3, leftSequence: 4 },
        ],
        log: [
          { sequence: 3, change: 'join', user: 'joan' },
          { sequence: 4, change: 'remove', user: 'joan' },
          { sequence: 5, change: 'leave', user: 'ada' },
        ],
      }),
    ],
    'one who was removed and is back, and sees what was said meanwhile': [
      ...[
        opened(),
        caughtUp(),
        ...removal,
        sent(3, 11),
        departure(21),
        ended(22, 'completed'),
        change(6, 40, { change: 'join', user: 'grace' }),
      ],
      ...[opened({ stream: 's2', at: 50, cursor: 'p4' }), sent(5, 51, { stream: 's2', position: 2 })],
      ...[
        told(6, 52, { stream: 's2', event: 'MemberChanged', user: 'grace', isMember: true, change: 'JOINED' }),
        caughtUp(6, { stream: 's2', at: 53 }),
        level,
      ],
      truth(6, {
        messages: [row(3), row(5, { position: 2 })],
        members: [
          { user: 'ada', joinedSequence: 1, leftSequence: null },
          { user: 'grace', joinedSequence: 6, leftSequence: null },
        ],
      }),
    ],
  };
  for (const [title, observations] of Object.entries(good)) {
    test(title, () => {
      expect(check(observations)).toEqual([]);
    });
  }
});

describe('the checker notices', () => {
  const bad: readonly (readonly [rule: string, title: string, observations: readonly Observation[]])[] = [
    ['acknowledged is durable', 'an acknowledged message that is not there', [send(3, 10), send(4, 20), truth(4, { messages: [row(3)] })]],
    [
      'acknowledged is durable',
      'an acknowledged message that is somebody else’s',
      [send(3, 10), truth(3, { messages: [row(3, { key: 'other' })] })],
    ],
    [
      'acknowledged is durable',
      'a position that is another than was acknowledged',
      [send(3, 10, { answer: { outcome: 'acknowledged', sequence: 3, position: 7 } }), truth(3)],
    ],
    ['never misses', 'a membership between two departures that is passed over', shortMembership(6)],
    ['acknowledged is durable', 'an acknowledged edit that is lost', [...edit, truth(4, { messages: [row(3)] })]],
    ['acknowledged is durable', 'an acknowledged number beyond the head', [...edit, change(9, 30, { change: 'rename' }), afterEdit]],
    [
      'acknowledged is durable',
      'a number that is another change in the record',
      [send(3, 10), truth(3, { log: [{ sequence: 3, change: 'rename' }] })],
    ],
    [
      'once',
      'a key that was written twice',
      [
        send(3, 10),
        send(3, 20, { answer: { outcome: 'acknowledged', sequence: 4 } }),
        truth(4, { messages: [row(3), row(4, { key: 'k3' })] }),
      ],
    ],
    ['once', 'a key that was acknowledged as two messages', [send(3, 10), send(4, 20, { key: 'k3' }), truth(4)]],
    ['once', 'a key that was acknowledged with two contents', [send(3, 10), send(3, 20, { content: 'other' }), truth(3)]],
    [
      'refused changes nothing',
      'a refused message that is there',
      [send(3, 10, { answer: { outcome: 'refused', code: 'CONFLICT' } }), truth(3)],
    ],
    ['nothing from nowhere', 'a message that nobody sent', [send(3, 10), truth(4)]],
    ['dense positions', 'a hole in the positions', [send(3, 10), truth(3, { messages: [row(3, { position: 2 })] })]],
    ['dense sequence', 'two rows with one number', [send(3, 10), truth(3, { messages: [row(3), row(3, { position: 2, key: 'k' })] })]],
    ['dense sequence', 'a number that was given to two changes', [send(3, 10), change(3, 20, { message: 3, content: 'new' }), truth(3)]],
    ['dense sequence', 'a number that belongs to nothing', [send(3, 10), truth(4, { messages: [row(3)] })]],
    ['one order', 'a later send with a lower number', [send(4, 10), send(3, 20), truth(4)]],
    [
      'one order',
      'a time that goes back',
      [opened(), caughtUp(), send(3, 10), send(4, 20), sent(3, 11, { occurredAt: 9 }), sent(4, 21, { occurredAt: 8 }), level, truth(4)],
    ],
    [
      'one order',
      'an event that tells a message by another key',
      [opened(), caughtUp(), send(3, 10), sent(3, 11, { key: 'k9' }), level, truth(3)],
    ],
    [
      'revocation',
      'a message of one who had gone',
      [
        ...removal,
        send(6, 40, { writer: 'grace' }),
        { ...afterRemoval, sequence: 6, messages: [row(3), row(5, { position: 2 }), row(6, { position: 3, author: 'grace' })] },
      ],
    ],
    [
      'members may write',
      'a member who is refused as a stranger',
      [send(3, 10), send(4, 20, { key: 'x', answer: { outcome: 'refused', code: 'NOT_FOUND' } }), truth(3)],
    ],
    ['chain', 'an event that does not join on', [opened(), caughtUp(), send(3, 10), send(4, 20), sent(4, 21), level, truth(4)]],
    ['chain', 'an event that is told twice', [opened(), caughtUp(), send(3, 10), sent(3, 11), sent(3, 12), level, truth(3)]],
    [
      'never misses',
      'a resume that begins too late',
      [
        opened(),
        caughtUp(),
        ended(3, 'cut'),
        send(3, 10),
        send(4, 20),
        opened({ stream: 's2', at: 30, cursor: 'p2' }),
        sent(4, 31, { stream: 's2' }),
        caughtUp(4, { stream: 's2', at: 32 }),
        level,
        truth(4),
      ],
    ],
    [
      'exactly once',
      'a resume that repeats',
      [
        opened(),
        caughtUp(),
        send(3, 10),
        sent(3, 11),
        ended(12, 'cut'),
        opened({ stream: 's2', at: 30, cursor: 'p3' }),
        sent(3, 31, { stream: 's2' }),
        caughtUp(3, { stream: 's2', at: 32 }),
        level,
        truth(3),
      ],
    ],
    [
      'never misses',
      'viewerEvents that begin after what was sent since',
      [
        opened({ conversation: null }),
        told(0, 2, { event: 'CaughtUp', conversation: null, previousSequence: null, sequence: null }),
        send(3, 10),
        send(4, 20),
        sent(4, 21),
        level,
        truth(4),
      ],
    ],
    [
      'accounted for',
      'a message that is passed over within an event’s reach',
      [opened(), caughtUp(), send(3, 10), send(4, 20), sent(4, 21, { previousSequence: 2 }), level, truth(4)],
    ],
    [
      'accounted for',
      'an edit that is passed over',
      [opened(), caughtUp(), ...edit, sent(3, 11), told(4, 30, { event: 'ConversationChanged' }), level, afterEdit],
    ],
    [
      'exactly once',
      'a message that is sent twice on one stream',
      [opened(), caughtUp(), send(3, 10), send(4, 20), sent(3, 11), sent(3, 21, { previousSequence: 3, sequence: 4 }), level, truth(4)],
    ],
    [
      'checkable',
      'a message outside of what its event accounts for',
      [opened(), caughtUp(), send(3, 10), send(4, 20), sent(4, 11, { previousSequence: 2, sequence: 3 }), level, truth(4)],
    ],
    ['checkable', 'two CaughtUp on one stream', [opened(), caughtUp(), caughtUp(2, { at: 3 }), level, truth(2)]],
    [
      'checkable',
      'an edit that is called a deletion',
      [opened(), caughtUp(), ...edit, sent(3, 11), edited(4, 21, { change: 'DELETED' }), level, afterEdit],
    ],
    [
      'no older than its number',
      'an edit that is told with the old body',
      [opened(), caughtUp(), ...edit, sent(3, 11), edited(4, 21, { content: 'c3' }), level, afterEdit],
    ],
    ['nothing from nowhere', 'a body that never was', [opened(), caughtUp(), send(3, 10), sent(3, 11, { content: '?' }), level, truth(3)]],
    [
      'nothing from nowhere',
      'an event beyond the head',
      [opened(), caughtUp(), send(3, 10), sent(3, 11), sent(4, 12, { message: 4 }), level, truth(3)],
    ],
    [
      'revocation',
      'an event after a removal',
      [opened(), caughtUp(), ...removal, sent(3, 11), sent(5, 31, { previousSequence: 3, position: 2 }), ended(32, 'cut'), afterRemoval],
    ],
    [
      'revocation',
      'a body from after a removal in an event from before it',
      [
        opened(),
        caughtUp(),
        ...removal,
        change(6, 40, { message: 3, content: 'secret' }),
        sent(3, 41, { content: 'secret' }),
        ended(42, 'cut'),
        { ...afterRemoval, sequence: 6, messages: [row(3, { content: 'secret' }), row(5, { position: 2 })] },
      ],
    ],
    [
      'revocation',
      'a stream that goes on after a removal',
      [opened(), caughtUp(), ...removal, sent(3, 11), departure(21), level, afterRemoval],
    ],
    [
      'nothing after the end',
      'an event after the removal was told',
      [opened(), caughtUp(), ...removal, sent(3, 11), departure(21), sent(5, 31, { position: 2 }), ended(32, 'completed'), afterRemoval],
    ],
    [
      'revocation',
      'a signal long after a removal',
      [
        opened(),
        caughtUp(),
        ...removal,
        { kind: 'signal', at: 2_000, stream: 's1', conversation: 'team' },
        ended(2_001, 'cut'),
        afterRemoval,
      ],
    ],
    ['never silent', 'a stream that is over and does not say why', [opened(), caughtUp(), ended(5, 'completed'), truth(2)]],
    [
      'never silent',
      'a stream that ends with an error of the server’s',
      [opened(), caughtUp(), ended(5, 'failed', 'INTERNAL_SERVER_ERROR'), truth(2)],
    ],
    ['never silent', 'a good cursor that is called expired', [opened(), caughtUp(), ended(5, 'failed', 'CURSOR_EXPIRED'), truth(2)]],
    ['members may follow', 'a member who may not follow', [opened(), ended(5, 'failed', 'NOT_FOUND'), truth(2)]],
    ['level', 'a stream that is behind when all is quiet', [opened(), caughtUp(), send(3, 10), level, truth(3)]],
    ['level', 'a stream that never catches up', [opened(), level, truth(2)]],
    [
      'level',
      'a stream that is behind for long after a fault',
      [
        opened(),
        caughtUp(),
        send(3, 10),
        { kind: 'fault', at: 20, name: 'redis', phase: 'healed' },
        sent(3, 20_000),
        truth(3, { at: 30_000 }),
      ],
    ],
    [
      'answered after healing',
      'a send without an answer for long after a fault',
      [{ kind: 'fault', at: 20, name: 'redis', phase: 'healed' }, send(3, 8_000, { answer: { outcome: 'unknown' } }), truth(3)],
    ],
    [
      'a cursor is one place',
      'one cursor of two places',
      [opened(), caughtUp(), send(3, 10), sent(3, 11, { cursor: 'p2' }), level, truth(3)],
    ],
    ['read your writes', 'a read of the same node that lacks a write', [send(3, 10), read(12, { reader: 'ada', sequence: 2 }), truth(3)]],
    [
      'read your writes',
      'a list without one’s own message',
      [send(3, 10), read(5_000, { reader: 'ada', node: 'two', messages: [], isWhole: true }), truth(3)],
    ],
    [
      'snapshot and tail',
      'a list that lacks what its cursor accounts for',
      [send(3, 10), read(12, { sequence: 3, messages: [], isWhole: true }), truth(3)],
    ],
    [
      'snapshot and tail',
      'a list with an older body than its cursor accounts for',
      [...edit, read(25, { sequence: 4, messages: [{ sequence: 3, content: 'c3' }] }), afterEdit],
    ],
    [
      'never misses',
      'a tail that does not join on to its snapshot',
      [
        send(3, 10),
        read(12, { sequence: 3, cursor: 'p3' }),
        send(4, 20),
        send(5, 21),
        opened({ at: 30, cursor: 'p3' }),
        sent(5, 31),
        caughtUp(5, { at: 32 }),
        level,
        truth(5),
      ],
    ],
    [
      'never misses',
      'viewerEvents that do not join on to the viewer’s snapshot',
      [
        send(3, 10),
        { kind: 'viewerSnapshot', begunAt: 11, at: 12, reader: 'grace', cursor: 'v', sequences: { team: 3 } },
        send(4, 20),
        send(5, 21),
        opened({ at: 30, conversation: null, cursor: 'v' }),
        sent(5, 31),
        told(0, 32, { event: 'CaughtUp', conversation: null, previousSequence: null, sequence: null }),
        level,
        truth(5),
      ],
    ],
    ['revocation', 'a read of one who has gone', [...removal, read(50), afterRemoval]],
    ['members may read', 'a member who finds nothing', [send(3, 10), read(50, { isFound: false }), truth(3)]],
    [
      'unread cannot drift',
      'an unread count that is none of those there were',
      [send(3, 10), send(4, 20), read(30, { unread: 1 }), truth(4)],
    ],
    [
      'unread cannot drift',
      'an unread count that forgets what was read',
      [
        send(3, 10),
        {
          kind: 'markRead',
          begunAt: 11,
          at: 12,
          user: 'grace',
          conversation: 'team',
          position: 1,
          answer: { outcome: 'acknowledged', position: 1 },
        },
        read(30, { unread: 1 }),
        truth(3),
      ],
    ],
    ['bounded', 'a queue beyond its limit', [{ kind: 'gauge', at: 1, name: 'a queue', value: 1_001, limit: 1_000 }]],
  ];
  for (const [rule, title, observations] of bad) {
    test(`${title} (${rule})`, () => {
      expect(rules(observations)).toContain(rule);
    });
  }
});
