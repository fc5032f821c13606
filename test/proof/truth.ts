import type { DedicatedConnection } from '../../src/platform/dedicated-connection.ts';
import { encodeId } from '../../src/platform/id.ts';
import { readChangeLog } from './change-log.ts';
import { contentOf } from './content.ts';
import type { Truth, TruthMember, TruthMessage } from './observation.ts';

export type TruthRequest = {
  /** On the observer's clock. */
  readonly at: number;
  /** By the public id of each conversation: its sequence before the first call that was observed. */
  readonly bases: ReadonlyMap<string, number>;
};

/** How things are, by rows and by the change log, with conversations and people under their public ids. Nothing may be written meanwhile. */
export async function readTruths(connection: DedicatedConnection, { at, bases }: TruthRequest): Promise<readonly Truth[]> {
  const { sql } = connection;
  const users = new Map(
    (await sql<{ id: string; public_id: string }[]>`SELECT id::text, public_id FROM users`).map((row) => [row.id, row]),
  );
  const person = (key: string) => encodeId('usr', users.get(key)?.public_id ?? '');
  const log = Map.groupBy(await readChangeLog(connection), ({ conversationKey }) => conversationKey);
  const conversations = await sql<ConversationRow[]>`SELECT id::text, public_id, sequence::integer FROM conversations ORDER BY id`;
  const truths: Truth[] = [];
  for (const { id, public_id, sequence } of conversations) {
    const name = encodeId('cnv', public_id);
    const base = bases.get(name);
    if (base === undefined) continue;
    const changes = (log.get(Number(id)) ?? []).filter((change) => change.sequence > base);
    truths.push({
      kind: 'truth',
      at,
      conversation: name,
      sequence,
      base,
      messages: (await readMessages(connection, id)).map((row) => messageOf(row, person)),
      members: (await readMembers(connection, id)).map((row) => memberOf(row, person)),
      log: changes.map(({ conversationKey: _, user, ...change }) => ({ ...change, ...(user === undefined ? {} : { user: person(user) }) })),
    });
  }
  return truths;
}

type ConversationRow = { readonly id: string; readonly public_id: string; readonly sequence: number };
type MessageRow = {
  readonly sequence: number;
  readonly position: number;
  readonly author_id: string;
  readonly client_message_id: string;
  readonly body: string | null;
  readonly thread_root: number | null;
  readonly mentions: readonly string[] | null;
};
type MemberRow = {
  readonly user_id: string;
  readonly joined_sequence: number;
  readonly left_sequence: number | null;
  readonly read_position: number;
};
type Named = (key: string) => string;

function readMessages({ sql }: DedicatedConnection, conversation: string): Promise<readonly MessageRow[]> {
  return sql<MessageRow[]>`
    SELECT sequence::integer, position::integer, author_id::text, client_message_id, body, thread_root::integer, to_jsonb(mentions::text[]) AS mentions
      FROM messages WHERE conversation_id = ${conversation}::bigint ORDER BY sequence`;
}

function readMembers({ sql }: DedicatedConnection, conversation: string): Promise<readonly MemberRow[]> {
  return sql<MemberRow[]>`
    SELECT user_id::text, joined_sequence::integer, left_sequence::integer, read_position::integer
      FROM members WHERE conversation_id = ${conversation}::bigint ORDER BY user_id`;
}

function messageOf(row: MessageRow, person: Named): TruthMessage {
  return {
    sequence: row.sequence,
    position: row.position,
    author: person(row.author_id),
    key: row.client_message_id,
    content: contentOf(row.body),
    ...(row.thread_root === null ? {} : { thread: row.thread_root }),
    ...(row.mentions === null ? {} : { mentions: row.mentions.map(person) }),
  };
}

function memberOf(row: MemberRow, person: Named): TruthMember {
  return {
    user: person(row.user_id),
    joinedSequence: row.joined_sequence,
    leftSequence: row.left_sequence,
    readPosition: row.read_position,
  };
}
