import type { Person } from './person.ts';

export type KnownMessage = { readonly position: number; readonly body: string | null };
/** As much of an event as says what has become of the messages, and that none is missing. */
export type ReplicaEvent = {
  readonly sequence: number | null;
  readonly previousSequence: number | null;
  readonly cursor: string | null;
  readonly message?: KnownMessage & { readonly id: string };
};

/** What a client knows of a conversation from its events alone, and the proof that it missed nothing. */
export class Replica {
  readonly messages = new Map<string, KnownMessage>();
  position: number;
  cursor: string;
  events = 0;
  resumes = 0;

  constructor(position: number, cursor: string) {
    this.position = position;
    this.cursor = cursor;
  }

  /** Throws when the event does not join on to the one before. */
  apply(event: ReplicaEvent): void {
    if (event.previousSequence !== this.position || event.sequence === null || event.sequence < event.previousSequence) {
      throw new Error(`The chain must go on from ${this.position}, got ${JSON.stringify(event)}.`);
    }
    this.position = event.sequence;
    this.cursor = event.cursor ?? this.cursor;
    this.events += 1;
    if (event.message) this.messages.set(event.message.id, { position: event.message.position, body: event.message.body });
  }
}

export type History = { readonly sequence: number; readonly messages: ReadonlyMap<string, KnownMessage> };

type Page = {
  readonly sequence: number;
  readonly messages: {
    readonly nodes: readonly { id: string; position: number; body: string | null }[];
    readonly pageInfo: { hasNextPage: boolean; endCursor: string };
  };
};

/** What the database has, page by page, in the order of positions. */
export async function historyOf(person: Person, id: string): Promise<History> {
  const messages = new Map<string, KnownMessage>();
  let after: string | null = null;
  for (;;) {
    const answer: { conversation: Page } = await person.ask<{ conversation: Page }>(
      `query ($id: ID!, $after: Cursor) { conversation(id: $id) { sequence messages(first: 100, after: $after) { nodes { id position body } pageInfo { hasNextPage endCursor } } } }`,
      { id, after },
    );
    const { sequence, messages: page } = answer.conversation;
    for (const { id: messageId, position, body } of page.nodes) messages.set(messageId, { position, body });
    if (!page.pageInfo.hasNextPage) return { sequence, messages };
    after = page.pageInfo.endCursor;
  }
}
