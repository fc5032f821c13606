import { conversationOf, memberOf, userOf } from '../../src/conversations/rows.ts';
import type { RoundPage, RoundRequest, Start } from '../../src/events/changes.ts';
import { type Change, MEMBER_CHANGES, type MessageChange } from '../../src/events/event.ts';
import type { Check, Resume, ResumeRow, ViewerCursor } from '../../src/events/resume-changes.ts';
import { messageOf } from '../../src/messages/rows.ts';
import { conversationRowOf, memberRowOf, messageRowOf } from './model-rows.ts';
import type { ConversationState, MarksState, MemberState, ModelState } from './model-state.ts';

/** What the statements of events/changes.ts and resume-changes.ts answer, each from what is committed at one moment. */
export function readRound(
  state: ModelState,
  { conversation: ref, base, from, horizon, limit, mayRepeat, audience }: RoundRequest,
): RoundPage {
  const conversation = state.conversation(ref.key);
  const { head } = conversation;
  const until = horizon ?? Number.POSITIVE_INFINITY;
  const isIn = (sequence: number) => sequence > from && sequence <= until;
  const changes: Change[] = [];
  for (const message of conversation.messages.values()) {
    if (isIn(message.sequence))
      changes.push({
        __typename: 'MessageSent',
        message: messageOf(conversation, messageRowOf(state, conversation, message)),
        sequence: message.sequence,
        atUs: message.createdAtUs,
      });
  }
  for (const [sequence, marks] of conversation.marks) {
    const message = conversation.messages.get(sequence);
    if (message === undefined || (sequence > base && !mayRepeat) || !isIn(marks.changed)) continue;
    changes.push({
      __typename: 'MessageChanged',
      message: messageOf(conversation, messageRowOf(state, conversation, message)),
      messageChange: kindSince(marks, base),
      sequence: marks.changed,
      atUs: marks.atUs,
    });
  }
  for (const member of conversation.members.values()) {
    if (isIn(member.changed)) changes.push(memberChange(state, conversation, member, base));
  }
  if (isIn(head.attributesSequence))
    changes.push({
      __typename: 'ConversationChanged',
      conversation: conversationOf(conversationRowOf(conversation, head)),
      sequence: head.attributesSequence,
      atUs: head.attributesAtUs,
    });
  changes.sort((one, other) => one.sequence - other.sequence);
  const departed = audience.flatMap((userKey): [number, Change][] => {
    const member = conversation.members.get(userKey);
    return member === undefined || member.left === null ? [] : [[userKey, memberChange(state, conversation, member, base)]];
  });
  return {
    head: head.sequence,
    headAtUs: head.lastAtUs,
    changes: changes.slice(0, limit),
    hasMore: changes.length > limit,
    departures: new Map(departed),
  };
}

function kindSince(marks: MarksState, base: number): MessageChange {
  const kinds: MessageChange[] = [];
  if (marks.edited > base) kinds.push('EDITED');
  if (marks.deleted > base) kinds.push('DELETED');
  if (marks.reacted > base) kinds.push('REACTIONS');
  if (marks.pinned > base) kinds.push('PIN');
  const [only] = kinds;
  return kinds.length === 1 && only !== undefined ? only : 'SEVERAL';
}

function memberChange(state: ModelState, conversation: ConversationState, member: MemberState, base: number): Change {
  const row = memberRowOf(state, conversation, member);
  return {
    __typename: 'MemberChanged',
    user: userOf(row),
    member: member.left === null ? memberOf(conversation, row) : null,
    memberChange: (member.other > base ? undefined : MEMBER_CHANGES[member.changedKind]) ?? 'SEVERAL',
    sequence: member.changed,
    atUs: member.changedAtUs,
  };
}

export function readStart(state: ModelState, conversationKey: number, userKey: number, after: number): Start {
  const conversation = state.conversation(conversationKey);
  const member = conversation.members.get(userKey);
  const newest = [...conversation.messages.values()].findLast(({ sequence }) => sequence <= after);
  return {
    head: conversation.head.sequence,
    headAtUs: conversation.head.lastAtUs,
    isMember: member !== undefined && member.left === null,
    wasMember: member !== undefined,
    messageAtUs: newest?.createdAtUs ?? 0,
  };
}

export function readHeads(state: ModelState, keys: readonly number[]): ReadonlyMap<number, number> {
  return new Map(keys.map((key) => [key, state.conversation(key).head.sequence]));
}

export function readCheck(state: ModelState, conversationKeys: readonly number[], userKeys: readonly number[]): Check {
  return {
    xmin: state.xmin,
    heads: conversationKeys.map((key) => ({ key, sequence: state.conversation(key).head.sequence })),
    inboxes: userKeys.map((key) => ({ key, sequence: state.inboxes.get(key) ?? 0 })),
  };
}

export function readResume(state: ModelState, userKey: number, after: ViewerCursor | null): Resume {
  const since = after?.xmin ?? Number.POSITIVE_INFINITY;
  const conversations: ResumeRow[] = [];
  for (const conversation of [...state.conversations.values()].sort((one, other) => one.key - other.key)) {
    const member = conversation.members.get(userKey);
    if (member === undefined) continue;
    const ownSince = after !== null && after.cut !== null && conversation.key < after.cut.key ? after.cut.xminNext : since;
    if (member.left !== null && member.xid < ownSince) continue;
    conversations.push({
      conversation_id: conversation.key,
      public_id: conversation.uuid,
      head: conversation.head.sequence,
      is_member: member.left === null,
      start: startOf(conversation, member, ownSince, after),
      joined_sequence: member.joined,
      departed_sequence: member.left ?? (member.changedKind === 1 ? member.other : member.joined - 1),
    });
  }
  return { xmin: state.xmin, xmax: state.nextXid, inboxSequence: state.inboxes.get(userKey) ?? 0, conversations };
}

/** The sequence at which a conversation was certainly seen when all transactions below `since` were. */
function startOf(
  { key, head, messages, marks, members }: ConversationState,
  member: MemberState,
  since: number,
  after: ViewerCursor | null,
): number {
  if (head.lastXid < since) return head.sequence;
  const cut = after?.cut ?? null;
  if (cut !== null && cut.key === key && cut.sequence > 0) return Math.min(head.sequence, cut.sequence);
  if (member.xid >= since && member.changedKind === 1 && member.other === 0) return Math.min(head.sequence, member.joined - 1);
  let start = 0;
  for (const { sequence, xid } of messages.values()) if (xid < since) start = Math.max(start, sequence);
  for (const { changed, xid } of marks.values()) if (xid < since) start = Math.max(start, changed);
  for (const { changed, xid } of members.values()) if (xid < since) start = Math.max(start, changed);
  return Math.min(head.sequence, start);
}
