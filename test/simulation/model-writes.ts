import type { SendOutcome, SendRow, SendStatus } from '../../src/messages/store.ts';
import type { LogEntry } from '../proof/observation.ts';
import { conversationRowOf, memberRowOf, messageRowOf } from './model-rows.ts';
import type { ConversationState, MarksState, MemberState, MessageRowState, ModelState } from './model-state.ts';

/**
 * What the functions of the database do, once they hold the lock: look at what is committed, decide, and leave what is to be seen when the
 * transaction commits. Nothing of it is visible before.
 */
export type Transaction = {
  /** Its number, given out when it is first needed. */
  xid(): number;
  /** Done when it commits. */
  onCommit(effect: () => void): void;
  readonly nowUs: number;
};

/** A body that the database itself refuses, as it would a NUL: the whole statement fails. */
export const POISON = '☠';

export class PoisonError extends Error {
  readonly code = '22021';
}

export function send(state: ModelState, tx: Transaction, rows: readonly SendRow[], busy: ReadonlySet<number>): readonly SendOutcome[] {
  if (rows.some(({ body, conversationKey }) => body.startsWith(POISON) && !busy.has(conversationKey)))
    throw new PoisonError('invalid byte sequence');
  const news = new Map<number, MessageRowState[]>();
  const outcomes = rows.map((row) => {
    const conversation = state.conversation(row.conversationKey);
    const fresh = news.get(row.conversationKey) ?? [];
    const outcome = judge(tx, conversation, row, fresh, busy);
    if (outcome.message !== null) news.set(row.conversationKey, [...fresh, outcome.message]);
    return outcomeOf(state, row, outcome.status, outcome.known);
  });
  for (const [key, messages] of news) {
    const conversation = state.conversation(key);
    const xid = tx.xid();
    const atUs = stamp(tx, conversation);
    const last = messages.at(-1);
    const main = messages.some(({ threadRoot }) => threadRoot === null);
    tx.onCommit(() => {
      for (const message of messages) {
        conversation.messages.set(message.sequence, message);
        log(conversation, { sequence: message.sequence, change: 'send', message: message.sequence, content: message.body });
        const root = message.threadRoot === null ? undefined : conversation.messages.get(message.threadRoot);
        if (root !== undefined) conversation.messages.set(root.sequence, { ...root, replyCount: root.replyCount + 1 });
      }
      conversation.head = {
        ...conversation.head,
        sequence: last?.sequence ?? 0,
        messageCount: last?.position ?? 0,
        lastXid: xid,
        lastAtUs: atUs,
        lastMessageAtUs: main ? atUs : conversation.head.lastMessageAtUs,
      };
    });
  }
  return outcomes;
}

function judge(
  tx: Transaction,
  conversation: ConversationState,
  row: SendRow,
  fresh: readonly MessageRowState[],
  busy: ReadonlySet<number>,
): { readonly status: SendStatus; readonly known: MessageRowState | null; readonly message: MessageRowState | null } {
  const nothing = { known: null, message: null };
  if (busy.has(conversation.key)) return { status: 'BUSY', ...nothing };
  const member = conversation.members.get(row.authorKey);
  if (member === undefined || member.left !== null) return { status: 'NOT_FOUND', ...nothing };
  const known = [...conversation.messages.values(), ...fresh].find(
    (message) => message.authorKey === row.authorKey && message.key === row.clientMessageId,
  );
  if (known !== undefined) {
    const isRepeat = known.hash === row.requestHash;
    return { status: isRepeat ? 'REPEATED' : 'CONFLICT', known: isRepeat ? known : null, message: null };
  }
  const root = row.threadRootSequence === 0 ? null : conversation.messages.get(row.threadRootSequence);
  if (root === undefined || (root !== null && root.threadRoot !== null)) return { status: 'BAD_THREAD_ROOT', ...nothing };
  if (row.replyToSequence !== 0 && !conversation.messages.has(row.replyToSequence)) return { status: 'BAD_REPLY_TO', ...nothing };
  const { head } = conversation;
  const message: MessageRowState = {
    sequence: head.sequence + fresh.length + 1,
    position: head.messageCount + fresh.length + 1,
    xid: tx.xid(),
    authorKey: row.authorKey,
    key: row.clientMessageId,
    hash: row.requestHash,
    body: row.body,
    replyTo: row.replyToSequence === 0 ? null : row.replyToSequence,
    threadRoot: row.threadRootSequence === 0 ? null : row.threadRootSequence,
    replyCount: 0,
    reactions: [],
    createdAtUs: stamp(tx, conversation),
    editedAtUs: null,
    deletedAtUs: null,
    pinnedAtUs: null,
  };
  return { status: 'SENT', known: message, message };
}

function outcomeOf(state: ModelState, { authorKey }: SendRow, status: SendStatus, message: MessageRowState | null): SendOutcome {
  const { uuid, handle } = state.person(authorKey);
  return {
    status,
    sequence: message?.sequence ?? 0,
    position: message?.position ?? 0,
    created_at: new Date((message?.createdAtUs ?? 0) / 1_000),
    created_at_us: message?.createdAtUs ?? 0,
    author_public_id: uuid,
    author_handle: handle,
    author_display_name: handle,
    author_avatar_url: null,
    author_created_at: new Date(0),
    mentions: null,
    mentions_all: false,
  };
}

export type MessageCommand =
  | { readonly change: 'edit'; readonly body: string }
  | { readonly change: 'delete'; readonly roleMin: number }
  | { readonly change: 'react'; readonly emoji: string; readonly adds: boolean }
  | { readonly change: 'pin'; readonly pins: boolean; readonly roleMin: number };

/** edit_message, delete_message, react and pin_message: one row, with the message as this left it. */
export function changeMessage(
  state: ModelState,
  tx: Transaction,
  conversationKey: number,
  sequence: number,
  actorKey: number,
  command: MessageCommand,
): object {
  const conversation = state.conversation(conversationKey);
  const { head } = conversation;
  const actor = conversation.members.get(actorKey);
  const known = conversation.messages.get(sequence);
  const refused = (status: string) => ({ status, changed_sequence: null, changed_at_us: null });
  const unchanged = (message: MessageRowState) => ({
    status: 'UNCHANGED',
    changed_sequence: head.sequence,
    changed_at_us: head.lastAtUs,
    ...messageRowOf(state, conversation, message),
  });
  if (actor === undefined || actor.left !== null || known === undefined) return refused('NOT_FOUND');
  const isForbidden =
    (command.change === 'edit' && known.authorKey !== actorKey) ||
    (command.change === 'delete' && known.authorKey !== actorKey && actor.role < command.roleMin) ||
    (command.change === 'pin' && actor.role < command.roleMin);
  if (isForbidden) return refused('FORBIDDEN');
  if (known.deletedAtUs !== null) return command.change === 'delete' ? unchanged(known) : refused('DELETED');
  const number = head.sequence + 1;
  const atUs = stamp(tx, conversation);
  const next = applied(known, actorKey, command, number, atUs);
  if (next === null) return unchanged(known);
  const xid = tx.xid();
  const marks = conversation.marks.get(sequence) ?? { changed: 0, edited: 0, deleted: 0, reacted: 0, pinned: 0, xid, atUs };
  const marked: MarksState = {
    ...marks,
    changed: number,
    xid,
    atUs,
    ...(command.change === 'edit' && { edited: number }),
    ...(command.change === 'delete' && { deleted: number }),
    ...(command.change === 'react' && { reacted: number }),
    ...(command.change === 'pin' && { pinned: number }),
  };
  const change =
    command.change === 'react' && !command.adds ? 'unreact' : command.change === 'pin' && !command.pins ? 'unpin' : command.change;
  tx.onCommit(() => {
    conversation.messages.set(sequence, next);
    conversation.marks.set(sequence, marked);
    advance(conversation, xid, number, atUs);
    log(conversation, {
      sequence: number,
      change,
      message: sequence,
      ...(command.change === 'edit' ? { content: command.body } : command.change === 'delete' ? { content: null } : {}),
    });
  });
  return { status: 'DONE', changed_sequence: number, changed_at_us: atUs, ...messageRowOf(state, conversation, next) };
}

/** Null: there is nothing to change. */
function applied(known: MessageRowState, actorKey: number, command: MessageCommand, number: number, atUs: number): MessageRowState | null {
  switch (command.change) {
    case 'edit':
      return known.body === command.body ? null : { ...known, body: command.body, editedAtUs: atUs };
    case 'delete':
      return { ...known, body: null, deletedAtUs: atUs, reactions: [], pinnedAtUs: null };
    case 'react': {
      const others = known.reactions.filter(({ userKey, emoji }) => userKey !== actorKey || emoji !== command.emoji);
      if (others.length < known.reactions.length === command.adds) return null;
      return { ...known, reactions: command.adds ? [...others, { userKey: actorKey, emoji: command.emoji, sequence: number }] : others };
    }
    case 'pin':
      return (known.pinnedAtUs !== null) === command.pins ? null : { ...known, pinnedAtUs: command.pins ? atUs : null };
  }
}

export function addMembers(
  state: ModelState,
  tx: Transaction,
  conversationKey: number,
  actorKey: number,
  userKeys: readonly number[],
  roleMin: number,
): readonly object[] {
  const conversation = state.conversation(conversationKey);
  const { head } = conversation;
  const actor = conversation.members.get(actorKey);
  if (actor === undefined || actor.left !== null) return [{ status: 'NOT_FOUND', change: null }];
  if (actor.role < roleMin) return [{ status: 'FORBIDDEN', change: null }];
  const missing = [...new Set(userKeys)].filter((key) => conversation.members.get(key)?.left !== null).sort((one, other) => one - other);
  if (missing.length === 0) return [{ status: 'UNCHANGED', change: null }];
  const xid = tx.xid();
  const atUs = stamp(tx, conversation);
  const joined = missing.map((userKey, index): MemberState => {
    const before = conversation.members.get(userKey);
    const number = head.sequence + index + 1;
    const isAgainJoined = before === undefined || before.changedKind === 1;
    return {
      userKey,
      joined: number,
      left: null,
      changed: number,
      other: before === undefined ? 0 : isAgainJoined ? before.other : before.changed,
      changedKind: 1,
      role: head.memberCount === 0 && index === 0 ? 3 : 1,
      xid,
      changedAtUs: atUs,
      joinedAtUs: atUs,
    };
  });
  tx.onCommit(() => {
    for (const member of joined) {
      conversation.members.set(member.userKey, member);
      const readPosition = conversation.readPositions.get(member.userKey) ?? 0;
      conversation.readPositions.set(member.userKey, Math.max(readPosition, head.messageCount));
      log(conversation, { sequence: member.joined, change: 'join', user: String(member.userKey) });
    }
    advance(conversation, xid, head.sequence + joined.length, atUs);
    conversation.head = { ...conversation.head, memberCount: conversation.head.memberCount + joined.length };
    bump(state, missing);
  });
  return joined.map((member) => {
    const row = changedRow(state, conversation, member);
    return { status: 'DONE', change: 1, ...row, read_position: Math.max(row.read_position, head.messageCount) };
  });
}

export function removeMember(
  state: ModelState,
  tx: Transaction,
  conversationKey: number,
  actorKey: number,
  userKey: number,
  roleMin: number,
): readonly object[] {
  const conversation = state.conversation(conversationKey);
  const { head, members } = conversation;
  const actor = members.get(actorKey);
  const target = members.get(userKey);
  if (actor === undefined || actor.left !== null) return [{ status: 'NOT_FOUND', change: null }];
  if (actorKey !== userKey && actor.role < roleMin) return [{ status: 'FORBIDDEN', change: null }];
  if (target === undefined || target.left !== null) return [{ status: 'UNCHANGED', change: null }];
  if (actorKey !== userKey && actor.role <= target.role) return [{ status: 'FORBIDDEN', change: null }];
  const others = [...members.values()].filter((each) => each.left === null && each.userKey !== userKey);
  const needsHeir = target.role === 3 && others.every(({ role }) => role !== 3);
  const heir = needsHeir ? others.sort((one, other) => other.role - one.role || one.joined - other.joined)[0] : undefined;
  const xid = tx.xid();
  const atUs = stamp(tx, conversation);
  const kind = actorKey === userKey ? 2 : 3;
  const number = head.sequence + 1;
  const gone: MemberState = { ...marked(target, kind, number, xid, atUs), left: number };
  const promoted = heir === undefined ? null : { ...marked(heir, 4, number + 1, xid, atUs), role: 3 };
  tx.onCommit(() => {
    members.set(userKey, gone);
    log(conversation, { sequence: number, change: kind === 2 ? 'leave' : 'remove', user: String(userKey) });
    if (promoted !== null) {
      members.set(promoted.userKey, promoted);
      log(conversation, { sequence: number + 1, change: 'role', user: String(promoted.userKey) });
    }
    advance(conversation, xid, promoted === null ? number : number + 1, atUs);
    conversation.head = { ...conversation.head, memberCount: conversation.head.memberCount - 1 };
    bump(state, promoted === null ? [userKey] : [userKey, promoted.userKey]);
  });
  const rows = [{ status: 'DONE', change: kind, ...changedRow(state, conversation, gone) }];
  return promoted === null ? rows : [...rows, { status: 'DONE', change: 4, ...changedRow(state, conversation, promoted) }];
}

export function setRole(
  state: ModelState,
  tx: Transaction,
  conversationKey: number,
  actorKey: number,
  userKey: number,
  role: number,
  roleMin: number,
): readonly object[] {
  const conversation = state.conversation(conversationKey);
  const { head, members } = conversation;
  const actor = members.get(actorKey);
  const target = members.get(userKey);
  if (actor === undefined || actor.left !== null) return [{ status: 'NOT_FOUND', change: null }];
  if (actor.role < roleMin) return [{ status: 'FORBIDDEN', change: null }];
  if (target === undefined || target.left !== null) return [{ status: 'NOT_MEMBER', change: null }];
  if (target.role === role) return [{ status: 'UNCHANGED', change: 4, ...changedRow(state, conversation, target) }];
  const hasOther = [...members.values()].some((each) => each.left === null && each.role === 3 && each.userKey !== userKey);
  if (target.role === 3 && !hasOther) return [{ status: 'LAST_OWNER', change: null }];
  const xid = tx.xid();
  const atUs = stamp(tx, conversation);
  const number = head.sequence + 1;
  const next = { ...marked(target, 4, number, xid, atUs), role };
  tx.onCommit(() => {
    members.set(userKey, next);
    log(conversation, { sequence: number, change: 'role', user: String(userKey) });
    advance(conversation, xid, number, atUs);
    bump(state, [userKey]);
  });
  return [{ status: 'DONE', change: 4, ...changedRow(state, conversation, next) }];
}

/** The title alone. The row is the conversation as this change left it. */
export function rename(
  state: ModelState,
  tx: Transaction,
  conversationKey: number,
  actorKey: number,
  title: string,
  roleMin: number,
): object {
  const conversation = state.conversation(conversationKey);
  const actor = conversation.members.get(actorKey);
  if (actor === undefined || actor.left !== null) return { status: 'NOT_FOUND', id: null };
  if (actor.role < roleMin) return { status: 'FORBIDDEN', ...conversationRowOf(conversation, conversation.head) };
  if (conversation.head.title === title) return { status: 'UNCHANGED', ...conversationRowOf(conversation, conversation.head) };
  const xid = tx.xid();
  const atUs = stamp(tx, conversation);
  const number = conversation.head.sequence + 1;
  const attributes = { title, attributesSequence: number, attributesAtUs: atUs };
  tx.onCommit(() => {
    advance(conversation, xid, number, atUs);
    conversation.head = { ...conversation.head, ...attributes };
    log(conversation, { sequence: number, change: 'rename' });
  });
  return { status: 'DONE', ...conversationRowOf(conversation, { ...conversation.head, ...attributes, sequence: number, lastAtUs: atUs }) };
}

/** Takes no lock of the conversation and no number: read positions merge by maximum. */
export function markRead(state: ModelState, conversationKey: number, userKey: number, position: number, movesBack: boolean): object {
  const conversation = state.conversation(conversationKey);
  const member = conversation.members.get(userKey);
  const wanted = Math.min(Math.max(position, 0), conversation.head.messageCount);
  if (member === undefined || member.left !== null) return { status: 'NOT_FOUND', read_position: null };
  const current = conversation.readPositions.get(userKey) ?? 0;
  if (current < wanted || (movesBack && current > wanted)) {
    conversation.readPositions.set(userKey, wanted);
    bump(state, [userKey]);
    return { status: 'DONE', read_position: wanted };
  }
  return { status: 'UNCHANGED', read_position: current };
}

function marked(member: MemberState, kind: number, number: number, xid: number, atUs: number): MemberState {
  const other = member.changedKind === kind ? member.other : member.changed;
  return { ...member, changed: number, changedKind: kind, other, xid, changedAtUs: atUs };
}

function changedRow(state: ModelState, conversation: ConversationState, member: MemberState) {
  return { changed_sequence: member.changed, changed_at_us: member.changedAtUs, ...memberRowOf(state, conversation, member) };
}

function stamp(tx: Transaction, { head }: ConversationState): number {
  return Math.max(tx.nowUs, head.lastAtUs + 1);
}

function advance(conversation: ConversationState, xid: number, sequence: number, atUs: number): void {
  conversation.head = { ...conversation.head, sequence, lastXid: xid, lastAtUs: atUs };
}

function bump(state: ModelState, userKeys: readonly number[]): void {
  for (const key of userKeys) state.inboxes.set(key, (state.inboxes.get(key) ?? 0) + 1);
}

function log(conversation: ConversationState, entry: LogEntry): void {
  conversation.log.push(entry);
}
