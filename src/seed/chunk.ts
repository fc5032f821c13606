import type postgres from 'postgres';
import { copyLine } from '../platform/copy.ts';
import { newUuid } from '../platform/id.ts';
import { conversationRows, type Head } from './history.ts';
import { type ConversationPlan, DIRECT } from './plan.ts';
import { type HistoryTable, TABLES, timeOf } from './rows.ts';
import * as store from './store.ts';

/** Characters that wait to be written, at most; a long conversation is written in several pieces, within its transaction. */
const PENDING_LENGTH_MAX = 4_000_000;
/** A transaction takes conversations until it has this many messages. */
const CHUNK_MESSAGES = 10_000;

const HISTORY_TABLES = Object.keys(TABLES) as readonly HistoryTable[]; // Its keys are what the type says.

/**
 * Writes conversations, several in one transaction, each whole within it: so nobody ever sees half of one, and all of its rows bear the
 * transaction that its numbers were given in. Memory does not grow with what is written.
 */
export class ChunkWriter {
  /** Rows by table, so far. */
  readonly counts: Record<HistoryTable, number> = { messages: 0, message_changes: 0, reactions: 0, mentions: 0, members: 0 };
  readonly #sql: postgres.Sql;
  readonly #lines = new Map<HistoryTable, string[]>();
  /** Lines of conversations that are complete. */
  #conversations: string[] = [];
  #inboxChanges = new Map<number, number>();
  #pendingLength = 0;
  #xid: string | null = null;
  #messages = 0;
  /** Conversations of this transaction. */
  #keys: number[] = [];

  constructor(sql: postgres.Sql) {
    this.#sql = sql;
  }

  async write(key: number, plan: ConversationPlan): Promise<void> {
    this.#xid ??= await store.begin(this.#sql);
    const line = conversationLine(key, newUuid(), plan, this.#xid);
    const rows = conversationRows(plan, { conversationKey: key, xid: this.#xid });
    let isBegun = false;
    let row = rows.next();
    for (; row.done !== true; row = rows.next()) {
      const { table, values } = row.value;
      const text = copyLine(values);
      this.#linesOf(table).push(text);
      this.counts[table] += 1;
      this.#pendingLength += text.length;
      if (this.#pendingLength < PENDING_LENGTH_MAX) continue;
      // What refers to a conversation comes after its row, which does not know yet how it will end.
      if (!isBegun) this.#conversations.push(line(emptyHead(plan)));
      isBegun = true;
      await this.#flush();
    }
    if (isBegun) await store.finishConversation(this.#sql, key, row.value);
    else this.#conversations.push(line(row.value));
    for (const [user, count] of row.value.inboxChanges) this.#inboxChanges.set(user, (this.#inboxChanges.get(user) ?? 0) + count);
    this.#messages += plan.messages;
    this.#keys.push(key);
    if (this.#messages >= CHUNK_MESSAGES) await this.commit();
  }

  /** Ends the transaction; the next conversation begins another. */
  async commit(): Promise<void> {
    if (this.#xid === null) return;
    await this.#flush();
    await store.fillSearchBlocks(this.#sql, this.#keys);
    await store.bumpInboxes(this.#sql, this.#inboxChanges);
    await store.commit(this.#sql, this.#xid);
    this.#inboxChanges = new Map();
    this.#xid = null;
    this.#messages = 0;
    this.#keys = [];
  }

  async #flush(): Promise<void> {
    if (this.#conversations.length > 0) await store.copyConversations(this.#sql, this.#conversations.join(''));
    this.#conversations = [];
    for (const table of HISTORY_TABLES) {
      const lines = this.#linesOf(table);
      if (lines.length > 0) await store.copyHistory(this.#sql, table, lines.join(''));
      lines.length = 0;
    }
    this.#pendingLength = 0;
  }

  #linesOf(table: HistoryTable): string[] {
    const lines = this.#lines.get(table) ?? [];
    this.#lines.set(table, lines);
    return lines;
  }
}

function conversationLine(key: number, uuid: string, { kind, founders }: ConversationPlan, xid: string): (head: Head) => string {
  const keys = founders.map((person) => person.key);
  const [creator = null] = keys;
  const [low, high] = kind === DIRECT ? [Math.min(...keys), Math.max(...keys)] : [null, null];
  return (head) =>
    copyLine([
      key,
      uuid,
      head.sequence,
      head.messageCount,
      head.attributesSequence,
      xid,
      head.lastAt,
      head.lastMessageAt,
      head.attributesAt,
      head.createdAt,
      creator,
      low,
      high,
      head.memberCount,
      kind,
      head.title,
      head.topic,
    ]);
}

function emptyHead({ title, topic, startUs }: ConversationPlan): Head {
  const createdAt = timeOf(startUs);
  const none = { sequence: 0, messageCount: 0, attributesSequence: 0, memberCount: 0, lastMessageAt: null, attributesAt: null };
  return { ...none, lastAt: createdAt, createdAt, title, topic, inboxChanges: new Map() };
}
