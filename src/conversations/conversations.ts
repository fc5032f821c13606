import DataLoader from 'dataloader';
import type { Bus } from '../events/bus.ts';
import { type Change, MEMBER_CHANGES } from '../events/event.ts';
import type { IdentityService } from '../identity/identity.ts';
import { AppError, badInput } from '../platform/errors.ts';
import { newUuid } from '../platform/id.ts';
import type { Sql } from '../platform/postgres.ts';
import { requestHash } from '../platform/request-hash.ts';
import { checkText } from '../platform/text.ts';
import {
  CHANNEL_QUERY_LENGTH_MAX,
  type Conversation,
  type ConversationKind,
  type ConversationRef,
  checkClientId,
  checkTitle,
  checkTopic,
  GROUP_MEMBERS_MAX,
  MEMBERS_ADDED_MAX,
} from './conversation.ts';
import type { InboxPlace } from './inbox.ts';
import { createConversationKeys } from './keys.ts';
import type { Member, MemberRole } from './member.ts';
import { memberOf, userOf } from './rows.ts';
import * as store from './store.ts';

export type ConversationsDependencies = {
  readonly sql: Sql;
  readonly bus: Bus;
  readonly identity: Pick<IdentityService, 'userKeysByUuid' | 'usersByKey'>;
  readonly groupMembersMax?: number;
  /** When what was asked for so far is read together: at the end of a turn of the event loop, if nothing is said. */
  readonly schedule?: (read: () => void) => void;
};

export type NewConversation = {
  readonly kind: ConversationKind;
  readonly title: string | null;
  readonly topic: string | null;
  readonly memberUuids: readonly string[];
  readonly clientConversationId: string | null;
};

/** A change of one's own, and the place in the stream where it stands. */
export type Changed<Entity> = {
  readonly entity: Entity;
  readonly conversation: ConversationRef;
  readonly sequence: number;
  readonly atUs: number;
};

export type MemberRead = { readonly member: Member; readonly sequence: number; readonly atUs: number };

export type AddedMembers = {
  readonly conversation: Conversation;
  readonly members: readonly { readonly member: Member; readonly joinedSequence: number }[];
  readonly sequence: number;
  readonly atUs: number;
};

const MEMBERS_PER_STATEMENT_MAX = 1_000;
/** Of different requests in one statement. */
const CONVERSATIONS_TOGETHER_MAX = 32;

export type Conversations = ReturnType<typeof createConversations>;

/** The use cases of conversations and members. `viewerKey` is who asks; what they may not see is NOT_FOUND, what they may not do FORBIDDEN. */
export function createConversations({ sql, bus, identity, groupMembersMax = GROUP_MEMBERS_MAX, schedule }: ConversationsDependencies) {
  const keys = createConversationKeys(sql);
  // Remembers nothing: it only brings together what is asked for in the same turn of the event loop.
  const memberRows = new DataLoader<store.MemberRequest, store.PlacedMemberRow | null>(
    async (requests) => {
      const rows = new Map((await store.membersByUser(sql, requests)).map((row) => [row.ord, row]));
      return requests.map((_, index) => rows.get(index + 1) ?? null);
    },
    { cache: false, maxBatchSize: MEMBERS_PER_STATEMENT_MAX },
  );

  // As little. Different requests ask for one each, most of the time, and those of one client often for the same; some ask for many.
  const viewed = new DataLoader<store.ViewedRequest, Conversation | null>(
    async (requests) => {
      const different = new Map(requests.map((request) => [viewedKey(request), request]));
      const answers = await store.conversationsViewed(sql, [...different.values()]);
      const found = new Map([...different.keys()].map((key, index) => [key, answers[index] ?? null]));
      return requests.map((request) => found.get(viewedKey(request)) ?? null);
    },
    {
      cache: false,
      maxBatchSize: CONVERSATIONS_TOGETHER_MAX,
      ...(schedule === undefined ? {} : { batchScheduleFn: schedule }),
    },
  );

  /** Null for an id that leads nowhere. Says nothing about membership. */
  async function find(uuid: string): Promise<ConversationRef | null> {
    const key = (await keys.find([uuid])).get(uuid);
    return key === undefined ? null : { key, uuid };
  }

  /**
   * NOT_FOUND for an id that leads nowhere. Says nothing about membership: the statement that follows judges it. Whatever else may be
   * complained of comes before: an outsider must get the same complaint whether or not there is such a conversation.
   */
  async function refer(uuid: string): Promise<ConversationRef> {
    const found = await find(uuid);
    if (found === null) throw notFound();
    return found;
  }

  async function userKeys(field: string, uuids: readonly string[]): Promise<readonly number[]> {
    const found = await identity.userKeysByUuid(uuids);
    const missing = uuids.filter((uuid) => !found.has(uuid));
    if (missing.length > 0) {
      throw new AppError(
        'NOT_FOUND',
        `${field.split('.').at(-1)} must be ids of users, but ${missing.length} of ${uuids.length} lead to nobody.`,
        { field },
      );
    }
    return [...found.values()];
  }

  async function read(viewerKey: number, key: number): Promise<Conversation> {
    const [conversation] = await store.conversationsByKey(sql, viewerKey, [key]);
    if (conversation === undefined) throw notFound();
    return conversation;
  }

  /** Tells what members' changes did, and answers them in order. */
  function announce(conversation: ConversationRef, rows: readonly store.MemberChangeRow[]): readonly Change[] {
    const changes = rows.filter(({ status }) => status === 'DONE').map((row) => memberChange(conversation, row));
    if (changes.length === 0) return changes;
    bus.publish({ kind: 'conversation', conversationKey: conversation.key, changes });
    for (const row of rows) bus.publish({ kind: 'person', userKey: row.user_id });
    return changes;
  }

  /** In a CHANNEL to the reader's own streams alone: with thousands of readers it would be noise. */
  async function announceReading(viewerKey: number, { key, kind }: Conversation, position: number): Promise<void> {
    const user = (await identity.usersByKey([viewerKey])).get(viewerKey);
    if (user === undefined) return;
    bus.publish({
      kind: 'signal',
      conversationKey: key,
      signal: { __typename: 'ReadMoved', user, position, atUs: Date.now() * 1_000 },
      ...(kind === 'CHANNEL' && { onlyTo: viewerKey }),
    });
  }

  return {
    find,
    refer,

    async create(viewerKey: number, viewerUuid: string, input: NewConversation): Promise<Conversation> {
      const { kind, clientConversationId } = input;
      const title = checkTitle(input.title);
      const topic = checkTopic(input.topic);
      if (clientConversationId !== null) checkClientId('input.clientConversationId', 'clientConversationId', clientConversationId);
      const others = [...new Set(input.memberUuids)].filter((uuid) => uuid !== viewerUuid);
      checkMembers(kind, title, topic, others.length);
      const memberKeys = await userKeys('input.memberIds', others);
      const hash = requestHash(kind, title, topic, ...[...others].sort());
      const { status, id } = await store.createConversation(sql, {
        uuid: newUuid(),
        kind,
        creatorKey: viewerKey,
        memberKeys,
        title,
        topic,
        clientConversationId,
        requestHash: hash,
      });
      if (status === 'CONFLICT')
        throw new AppError('CONFLICT', 'clientConversationId was used before, for another conversation: take a new one.');
      if (status === 'CREATED') for (const userKey of [viewerKey, ...memberKeys]) bus.publish({ kind: 'person', userKey });
      return read(viewerKey, id);
    },

    async update(viewerKey: number, uuid: string, input: store.AttributeChanges): Promise<Changed<Conversation>> {
      const changes = {
        ...(input.title !== undefined && { title: checkTitle(input.title) }),
        ...(input.topic !== undefined && { topic: checkTopic(input.topic) }),
      };
      const conversation = await refer(uuid);
      if (changes.title === null && (await read(viewerKey, conversation.key)).kind === 'CHANNEL')
        throw badInput('input.title', 'A CHANNEL must have a title, got null.');
      const { status, conversation: entity } = await store.updateConversation(sql, conversation.key, viewerKey, changes);
      if (status === 'FORBIDDEN') throw forbidden('change the title or topic of this conversation');
      if (entity === null) throw notFound();
      if (status === 'DONE') {
        const change: Change = {
          __typename: 'ConversationChanged',
          conversation: entity,
          sequence: entity.sequence,
          atUs: entity.lastAtUs,
        };
        bus.publish({ kind: 'conversation', conversationKey: conversation.key, changes: [change] });
      }
      return { entity, conversation, sequence: entity.sequence, atUs: entity.lastAtUs };
    },

    async join(viewerKey: number, uuid: string): Promise<Conversation> {
      const conversation = await refer(uuid);
      const rows = await store.addMembers(sql, conversation.key, 0, [viewerKey], groupMembersMax);
      if (rows[0]?.status === 'NOT_FOUND') throw notFound();
      announce(conversation, rows);
      return read(viewerKey, conversation.key);
    },

    /** Answers the conversation as the leaver last saw it. */
    async leave(viewerKey: number, uuid: string): Promise<Changed<Conversation>> {
      const conversation = await refer(uuid);
      const entity = await read(viewerKey, conversation.key);
      const rows = await store.removeMember(sql, conversation.key, viewerKey, viewerKey);
      refuse(rows, 'leave a DIRECT conversation');
      const [change] = announce(conversation, rows);
      return { entity, conversation, sequence: change?.sequence ?? entity.sequence, atUs: change?.atUs ?? entity.lastAtUs };
    },

    async addMembers(viewerKey: number, uuid: string, userUuids: readonly string[]): Promise<AddedMembers> {
      if (userUuids.length < 1 || userUuids.length > MEMBERS_ADDED_MAX)
        throw badInput('input.userIds', `userIds must be 1 to ${MEMBERS_ADDED_MAX} ids, got ${userUuids.length}.`);
      const keysOfUsers = await userKeys('input.userIds', [...new Set(userUuids)]);
      const conversation = await refer(uuid);
      const rows = await store.addMembers(sql, conversation.key, viewerKey, keysOfUsers, groupMembersMax);
      if (rows[0]?.status === 'FULL')
        throw badInput(
          'input.userIds',
          `A GROUP must have at most ${groupMembersMax} members, ${keysOfUsers.length} more would be too many.`,
        );
      refuse(rows, 'add members to this conversation');
      const last = announce(conversation, rows).at(-1);
      const entity = await read(viewerKey, conversation.key);
      const members = rows
        .filter(({ status }) => status === 'DONE')
        .map((row) => ({ member: memberOf(conversation, row), joinedSequence: row.changed_sequence }));
      return { conversation: entity, members, sequence: last?.sequence ?? entity.sequence, atUs: last?.atUs ?? entity.lastAtUs };
    },

    async removeMember(viewerKey: number, uuid: string, userUuid: string): Promise<Changed<Conversation>> {
      const [userKey] = await userKeys('input.userId', [userUuid]);
      if (userKey === viewerKey) throw badInput('input.userId', 'userId must be another member: use leaveConversation to leave.');
      const conversation = await refer(uuid);
      const rows = await store.removeMember(sql, conversation.key, viewerKey, userKey ?? 0);
      refuse(rows, 'remove this member');
      const [change] = announce(conversation, rows);
      const entity = await read(viewerKey, conversation.key);
      return { entity, conversation, sequence: change?.sequence ?? entity.sequence, atUs: change?.atUs ?? entity.lastAtUs };
    },

    async setMemberRole(viewerKey: number, uuid: string, userUuid: string, role: MemberRole): Promise<Changed<Member>> {
      const [userKey] = await userKeys('input.userId', [userUuid]);
      const conversation = await refer(uuid);
      const rows = await store.setMemberRole(sql, conversation.key, viewerKey, userKey ?? 0, role);
      const [row] = rows;
      if (row?.status === 'LAST_OWNER')
        throw new AppError('CONFLICT', 'A conversation must keep an OWNER: make somebody else OWNER first.');
      if (row?.status === 'NOT_MEMBER') throw badInput('input.userId', 'userId must be a member of the conversation.');
      refuse(rows, 'change roles in this conversation');
      announce(conversation, rows);
      if (row === undefined) throw new Error('set_member_role must answer one row.');
      return { entity: memberOf(conversation, row), conversation, sequence: row.changed_sequence, atUs: row.changed_at_us };
    },

    async markRead(viewerKey: number, uuid: string, position: number, movesBack: boolean): Promise<Conversation> {
      if (position < 0) throw badInput('input.position', `position must be 0 or more, got ${position}.`);
      const conversation = await refer(uuid);
      const { status, read_position } = await store.markRead(sql, conversation.key, viewerKey, position, movesBack);
      if (status === 'NOT_FOUND') throw notFound();
      if (status === 'DONE') bus.publish({ kind: 'person', userKey: viewerKey });
      const entity = await read(viewerKey, conversation.key);
      if (status === 'DONE') await announceReading(viewerKey, entity, read_position);
      return entity;
    },

    keysByUuid: (uuids: readonly string[]) => keys.find(uuids),
    async byKey(viewerKey: number, wanted: readonly number[]): Promise<readonly Conversation[]> {
      if (wanted.length > 1) return store.conversationsByKey(sql, viewerKey, wanted);
      const found = await Promise.all(wanted.map((conversationKey) => viewed.load({ viewerKey, conversationKey })));
      return found.filter((conversation) => conversation !== null);
    },
    inbox: (viewerKey: number, after: InboxPlace | null, limit: number) => store.inbox(sql, viewerKey, after, limit),
    channels(viewerKey: number, query: string | null, afterKey: number, limit: number) {
      const text =
        query === null || query === '' ? '' : checkText('query', 'Query', query, { lengthMin: 1, lengthMax: CHANNEL_QUERY_LENGTH_MAX });
      return store.directory(sql, viewerKey, `%${text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`, afterKey, limit);
    },
    membersPages: (viewerKey: number, requests: readonly store.MembersRequest[]) => store.membersPages(sql, viewerKey, requests),
    /** With the place of the conversation in the snapshot it was read in. */
    async memberByUser(viewerKey: number, conversation: ConversationRef, userUuid: string): Promise<MemberRead | null> {
      const row = await memberRows.load({ viewerKey, conversationKey: conversation.key, userUuid });
      return row === null ? null : { member: memberOf(conversation, row), sequence: row.sequence, atUs: row.last_at_us };
    },
    unreadCounts: (viewerKey: number, wanted: readonly number[]) => store.unreadCounts(sql, viewerKey, wanted),
    unreadConversationCount: (viewerKey: number) => store.unreadConversationCount(sql, viewerKey),
  };
}

/** What cannot be seen does not exist: the same answer for both. */
export function notFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such conversation, or you are not in it.');
}

function forbidden(what: string): AppError {
  return new AppError('FORBIDDEN', `You may not ${what}.`);
}

function refuse(rows: readonly store.MemberChangeRow[], what: string): void {
  const status = rows[0]?.status;
  if (status === 'NOT_FOUND') throw notFound();
  if (status === 'FORBIDDEN') throw forbidden(what);
}

function checkMembers(kind: ConversationKind, title: string | null, topic: string | null, others: number): void {
  if (others > MEMBERS_ADDED_MAX) throw badInput('input.memberIds', `memberIds must be at most ${MEMBERS_ADDED_MAX} ids, got ${others}.`);
  switch (kind) {
    case 'DIRECT':
      if (others !== 1) throw badInput('input.memberIds', `A DIRECT conversation must have exactly one other person, got ${others}.`);
      if (title !== null) throw badInput('input.title', 'A DIRECT conversation must have no title: it shows the other person.');
      if (topic !== null) throw badInput('input.topic', 'A DIRECT conversation must have no topic.');
      return;
    case 'GROUP':
      return;
    case 'CHANNEL':
      if (title === null) throw badInput('input.title', 'A CHANNEL must have a title, got none.');
      return;
  }
}

function memberChange(conversation: ConversationRef, row: store.MemberChangeRow): Change {
  const memberChange = MEMBER_CHANGES[row.change ?? 0] ?? 'SEVERAL';
  const isMember = memberChange === 'JOINED' || memberChange === 'ROLE';
  return {
    __typename: 'MemberChanged',
    user: userOf(row),
    member: isMember ? memberOf(conversation, row) : null,
    memberChange,
    sequence: row.changed_sequence,
    atUs: row.changed_at_us,
  };
}

function viewedKey({ viewerKey, conversationKey }: store.ViewedRequest): string {
  return `${viewerKey} ${conversationKey}`;
}
