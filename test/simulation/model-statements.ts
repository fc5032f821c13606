import type { Parameter } from '../../src/platform/postgres.ts';
import { conversationRowOf, messageRowOf, pageRowOf } from './model-rows.ts';
import type { ConversationState, MessageRowState, ModelState } from './model-state.ts';
import { addMembers, changeMessage, markRead, removeMember, rename, setRole, type Transaction } from './model-writes.ts';

/** How the model answers a statement of the stores. */
export type Statement = {
  /** A part of its text that no other has. */
  readonly mark: string;
  /** The conversation that it locks, if it locks one. */
  readonly locks: (values: readonly Parameter[]) => number | null;
  readonly run: (state: ModelState, values: readonly Parameter[], tx: Transaction) => readonly object[];
};

const first = (values: readonly Parameter[]) => Number(values[0]);
const none = () => null;
const numbers = (value: Parameter | undefined): readonly number[] => (Array.isArray(value) ? value.map(Number) : []);
const text = (value: Parameter | undefined): string => String(value ?? '');

/**
 * The statements of the use cases that are simulated. Each is known by the function it calls, or by words of its own; one that is not known is
 * an error, so that a new one is not passed over.
 */
export const STATEMENTS: readonly Statement[] = [
  {
    mark: 'FROM edit_message(',
    locks: first,
    run: (state, [conversation, sequence, actor, body], tx) => [
      changeMessage(state, tx, Number(conversation), Number(sequence), Number(actor), { change: 'edit', body: text(body) }),
    ],
  },
  {
    mark: 'FROM delete_message(',
    locks: first,
    run: (state, [conversation, sequence, actor, roleMin], tx) => [
      changeMessage(state, tx, Number(conversation), Number(sequence), Number(actor), { change: 'delete', roleMin: Number(roleMin) }),
    ],
  },
  {
    mark: 'FROM react(',
    locks: first,
    run: (state, [conversation, sequence, actor, emoji, adds], tx) => [
      changeMessage(state, tx, Number(conversation), Number(sequence), Number(actor), {
        change: 'react',
        emoji: text(emoji),
        adds: adds === true,
      }),
    ],
  },
  {
    mark: 'FROM pin_message(',
    locks: first,
    run: (state, [conversation, sequence, actor, pins, roleMin], tx) => [
      changeMessage(state, tx, Number(conversation), Number(sequence), Number(actor), {
        change: 'pin',
        pins: pins === true,
        roleMin: Number(roleMin),
      }),
    ],
  },
  {
    mark: 'FROM add_members(',
    locks: first,
    run: (state, [conversation, actor, users, roleMin], tx) =>
      addMembers(state, tx, Number(conversation), Number(actor), numbers(users), Number(roleMin)),
  },
  {
    mark: 'FROM remove_member(',
    locks: first,
    run: (state, [conversation, actor, user, roleMin], tx) =>
      removeMember(state, tx, Number(conversation), Number(actor), Number(user), Number(roleMin)),
  },
  {
    mark: 'FROM set_member_role(',
    locks: first,
    run: (state, [conversation, actor, user, role, roleMin], tx) =>
      setRole(state, tx, Number(conversation), Number(actor), Number(user), Number(role), Number(roleMin)),
  },
  {
    mark: 'FROM update_conversation(',
    locks: first,
    run: (state, [conversation, actor, roleMin, , title], tx) => [
      rename(state, tx, Number(conversation), Number(actor), text(title), Number(roleMin)),
    ],
  },
  {
    mark: 'FROM mark_read(',
    locks: none,
    run: (state, [conversation, user, position, movesBack]) => [
      markRead(state, Number(conversation), Number(user), Number(position), movesBack === true),
    ],
  },
  {
    mark: 'SELECT c.id, c.public_id FROM conversations c WHERE c.public_id = ANY',
    locks: none,
    run: (state, [uuids]) =>
      [...state.conversations.values()].flatMap(({ key, uuid }) =>
        Array.isArray(uuids) && uuids.includes(uuid) ? [{ id: key, public_id: uuid }] : [],
      ),
  },
  {
    // Conversations as viewers see them, by their keys.
    mark: 'k (viewer_id, conversation_id, ord) JOIN LATERAL (SELECT x.* FROM conversations x',
    locks: none,
    run: (state, [viewers, keys]) =>
      numbers(keys).flatMap((key, index) =>
        viewedConversations(state, numbers(viewers)[index] ?? 0, [key]).map((row) => ({ ...row, ord: index + 1 })),
      ),
  },
  {
    mark: 'WITH top AS MATERIALIZED',
    locks: none,
    run: (state, [viewer]) =>
      viewedConversations(state, Number(viewer), [...state.conversations.keys()]).sort(
        (one, other) => other.active_at_us - one.active_at_us || other.id - one.id,
      ),
  },
  {
    mark: 'c.sequence AS conversation_sequence, (extract(epoch FROM c.last_at) * 1000000)::bigint AS last_at_us FROM unnest(',
    locks: none,
    run: (state, [keys, sequences, viewer]) =>
      numbers(keys).flatMap((key, index) => {
        const conversation = state.conversation(key);
        const message = conversation.messages.get(numbers(sequences)[index] ?? 0);
        if (message === undefined || !isMember(conversation, Number(viewer))) return [];
        const { sequence, lastAtUs } = conversation.head;
        return [{ ...messageRowOf(state, conversation, message), conversation_sequence: sequence, last_at_us: lastAtUs }];
      }),
  },
  {
    // Pages of messages.
    mark: 'i (conversation_id, forward, bound, size, root, author_uuid, since, until, pinned, reacted, place, at, ord)',
    locks: none,
    run: (state, [ords, ofReaders, viewers, keys, forward, bounds, limits, roots]) => {
      const readers = numbers(ords).flatMap((ord, index) => {
        const readerKey = numbers(viewers)[index] ?? 0;
        return isMember(state.conversation(numbers(ofReaders)[index] ?? 0), readerKey) ? [{ ord: -ord, readerKey }] : [];
      });
      const messages = numbers(keys).flatMap((key, index) => {
        if (!readers.some(({ ord }) => ord === -index - 1)) return [];
        const at = (list: Parameter | undefined) => numbers(list)[index] ?? 0;
        const rows = page(state.conversation(key), at(forward) === 1, at(bounds), at(limits), at(roots));
        return rows.map((message) => ({ ord: index + 1, ...pageRowOf(state, message) }));
      });
      return [...readers, ...messages];
    },
  },
  {
    // The newest message of each that is in no thread.
    mark: 'ORDER BY coalesce(m.thread_root, 0) DESC, m.sequence DESC LIMIT 1) l',
    locks: none,
    run: (state, [keys, viewer]) =>
      numbers(keys).flatMap((key) => {
        const conversation = state.conversation(key);
        const [last] = page(conversation, false, Number.MAX_SAFE_INTEGER, 1, 0);
        return last === undefined || !isMember(conversation, Number(viewer)) ? [] : [messageRowOf(state, conversation, last)];
      }),
  },
  {
    mark: 'AS unread',
    locks: none,
    run: (state, [keys, viewer]) =>
      numbers(keys).flatMap((key) => {
        const conversation = state.conversation(key);
        return isMember(conversation, Number(viewer)) ? [{ conversation_id: key, unread: unread(conversation, Number(viewer)) }] : [];
      }),
  },
  {
    // The viewer's own reactions.
    mark: 'SELECT k.ord::integer AS ord, r.emoji',
    locks: none,
    run: (state, [keys, sequences, viewer]) =>
      numbers(keys).flatMap((key, index) => {
        const conversation = state.conversation(key);
        const reactions = conversation.messages.get(numbers(sequences)[index] ?? 0)?.reactions ?? [];
        const own = isMember(conversation, Number(viewer)) ? reactions.filter(({ userKey }) => userKey === Number(viewer)) : [];
        return own.map(({ emoji }) => ({ ord: index + 1, emoji }));
      }),
  },
  {
    mark: 'SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin',
    locks: none,
    run: (state) => [{ xmin: state.xmin }],
  },
];

const known = new WeakMap<TemplateStringsArray, Statement>();

export function statementOf(template: TemplateStringsArray): Statement {
  const found = known.get(template);
  if (found !== undefined) return found;
  const words = template.join('?').replaceAll(/\s+/g, ' ');
  const statement = STATEMENTS.find(({ mark }) => words.includes(mark));
  if (statement === undefined) throw new Error(`The model knows no such statement: ${words}`);
  known.set(template, statement);
  return statement;
}

function isMember({ members }: ConversationState, userKey: number): boolean {
  const member = members.get(userKey);
  return member !== undefined && member.left === null;
}

function viewedConversations(state: ModelState, viewer: number, keys: readonly number[]) {
  return keys.flatMap((key) => {
    const conversation = state.conversation(key);
    const member = conversation.members.get(viewer);
    if (member === undefined || member.left !== null) return [];
    const read_position = conversation.readPositions.get(viewer) ?? 0;
    return [{ ...conversationRowOf(conversation, conversation.head), role: member.role, read_position, peer_name: null }];
  });
}

function page({ messages }: ConversationState, isForward: boolean, bound: number, limit: number, root: number): readonly MessageRowState[] {
  const rows = [...messages.values()].filter(
    ({ threadRoot, sequence }) => (threadRoot ?? 0) === root && (isForward ? sequence > bound : sequence < bound),
  );
  return isForward ? rows.slice(0, limit) : rows.slice(-limit);
}

function unread({ messages, readPositions }: ConversationState, viewer: number): number {
  const read = readPositions.get(viewer) ?? 0;
  const rows = [...messages.values()].filter(
    ({ position, authorKey, deletedAtUs, threadRoot }) =>
      position > read && authorKey !== viewer && deletedAtUs === null && threadRoot === null,
  );
  return Math.min(rows.length, 100);
}
