import type { MemberState, MessageRowState, ModelState } from './model-state.ts';
import type { PostgresServer } from './postgres-server.ts';

/** Everything that was there is gone, and people, conversations and members are as the state says. */
export function insertBeginning(server: PostgresServer, state: ModelState): void {
  for (const table of [
    'observed_changes',
    'mentions',
    'reactions',
    'message_changes',
    'messages',
    'inboxes',
    'members',
    'conversations',
    'users',
  ])
    server.read([`DELETE FROM ${table}`], []);
  const users = state.people.map(({ key, uuid, handle }) => ({ id: key, public_id: uuid, handle }));
  server.ask`
    INSERT INTO users (id, public_id, handle, display_name, created_at) OVERRIDING SYSTEM VALUE
    SELECT u.id, u.public_id, u.handle, u.handle, to_timestamp(0) FROM jsonb_to_recordset(${JSON.stringify(users)}::text::jsonb) u (id bigint, public_id uuid, handle text)`;
  const conversations = [...state.conversations.values()].map(({ key, uuid, base, createdAtUs }) => ({
    id: key,
    public_id: uuid,
    base,
    at: createdAtUs,
  }));
  server.ask`
    INSERT INTO conversations (id, public_id, kind, title, creator_id, sequence, member_count, last_at, created_at)
    SELECT c.id, c.public_id, 2, 'c' || c.id, 1, c.base, c.base, to_timestamp(c.at / 1000000.0), to_timestamp(c.at / 1000000.0)
      FROM jsonb_to_recordset(${JSON.stringify(conversations)}::text::jsonb) c (id bigint, public_id uuid, base integer, at bigint)`;
  const members = [...state.conversations.values()].flatMap(({ key, members: all }) =>
    [...all.values()].map(({ userKey, joined, role, joinedAtUs }) => ({ conversation: key, id: userKey, joined, role, at: joinedAtUs })),
  );
  server.ask`
    INSERT INTO members (conversation_id, user_id, joined_sequence, changed_sequence, xid, changed_at, joined_at, role, changed_kind)
    SELECT m.conversation, m.id, m.joined, m.joined, pg_current_xact_id(), to_timestamp(m.at / 1000000.0), to_timestamp(m.at / 1000000.0), m.role, 1
      FROM jsonb_to_recordset(${JSON.stringify(members)}::text::jsonb) m (conversation bigint, id bigint, joined bigint, role smallint, at bigint)`;
  server.ask`INSERT INTO inboxes (user_id, sequence, xid) SELECT m.user_id, count(*), pg_current_xact_id() FROM members m GROUP BY 1`;
}

/** What people can know, as it is committed now. */
export function readMirror(server: PostgresServer, state: ModelState): void {
  const rows = server.ask<{
    id: number;
    sequence: number;
    message_count: number;
    messages: readonly Message[] | null;
    members: readonly Member[];
  }>`
    SELECT c.id, c.sequence, c.message_count,
           (SELECT jsonb_agg(jsonb_build_object('sequence', m.sequence, 'position', m.position, 'author', m.author_id, 'key', m.client_message_id,
                             'body', m.body, 'root', m.thread_root) ORDER BY m.sequence) FROM messages m WHERE m.conversation_id = c.id) AS messages,
           (SELECT jsonb_agg(jsonb_build_object('user', b.user_id, 'joined', b.joined_sequence, 'left', b.left_sequence, 'read', b.read_position)
                             ORDER BY b.user_id) FROM members b WHERE b.conversation_id = c.id) AS members
      FROM conversations c`;
  for (const { id, sequence, message_count, messages, members } of rows) {
    const conversation = state.conversation(id);
    conversation.head = { ...conversation.head, sequence, messageCount: message_count };
    for (const message of messages ?? []) conversation.messages.set(message.sequence, messageOf(message));
    for (const member of members) {
      conversation.members.set(member.user, memberOf(member));
      conversation.readPositions.set(member.user, member.read);
    }
  }
}

/** What the triggers have written down of every commit. */
export function readLogs(server: PostgresServer, state: ModelState): void {
  const rows = server.ask<LogRow>`
    SELECT conversation_id, sequence, change, message, user_id, content FROM observed_changes ORDER BY conversation_id, sequence`;
  for (const { conversation_id, sequence, change, message, user_id, content } of rows) {
    const { base, log } = state.conversation(conversation_id);
    if (sequence <= base) continue;
    log.push({
      sequence,
      change,
      ...(message === null ? {} : { message }),
      ...(user_id === null ? {} : { user: String(user_id) }),
      ...(['send', 'edit', 'delete'].includes(change) ? { content } : {}),
    });
  }
}

type Message = {
  readonly sequence: number;
  readonly position: number;
  readonly author: number;
  readonly key: string;
  readonly body: string | null;
  readonly root: number | null;
};
type Member = { readonly user: number; readonly joined: number; readonly left: number | null; readonly read: number };
type LogRow = {
  readonly conversation_id: number;
  readonly sequence: number;
  readonly change: 'send' | 'edit';
  readonly message: number | null;
  readonly user_id: number | null;
  readonly content: string | null;
};

/** The rest is the database's own, and nobody asks the mirror for it. */
const UNSEEN_MESSAGE = {
  xid: 0,
  hash: '',
  replyTo: null,
  replyCount: 0,
  reactions: [],
  createdAtUs: 0,
  editedAtUs: null,
  deletedAtUs: null,
  pinnedAtUs: null,
};
const UNSEEN_MEMBER = { changed: 0, other: 0, changedKind: 0, role: 0, xid: 0, changedAtUs: 0, joinedAtUs: 0 };

function messageOf({ sequence, position, author, key, body, root }: Message): MessageRowState {
  return { ...UNSEEN_MESSAGE, sequence, position, authorKey: author, key, body, threadRoot: root };
}

function memberOf({ user, joined, left }: Member): MemberState {
  return { ...UNSEEN_MEMBER, userKey: user, joined, left };
}
