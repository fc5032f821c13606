import { randomUUID } from 'node:crypto';
import { type GraphQLResult, post } from './http.ts';
import { type GraphQLFault, SocketClient } from './ws-client.ts';

export const PASSWORD = 'correct horse battery';

export type ConversationAnswer = { readonly id: string; readonly cursor: string; readonly sequence: number };
export type MessageAnswer = {
  readonly id: string;
  readonly position: number;
  readonly body: string | null;
  readonly clientMessageId: string;
};
export type EventAnswer = {
  readonly __typename: string;
  readonly conversationId: string | null;
  readonly sequence: number | null;
  readonly previousSequence: number | null;
  /** Null on what is never stored, which `next` passes over. */
  readonly cursor: string;
  readonly message?: MessageAnswer;
  readonly messageChange?: string;
  readonly memberChange?: string;
  readonly user?: { readonly id: string; readonly handle: string };
  readonly member?: { readonly role: string } | null;
  readonly conversation?: { readonly id: string; readonly title: string | null; readonly topic: string | null };
};
/** Typing, read positions and presence: outside the chain. */
export type SignalAnswer = Pick<EventAnswer, '__typename' | 'conversationId' | 'user'> & {
  readonly sequence: null;
  readonly previousSequence: null;
  readonly cursor: null;
  readonly isTyping?: boolean;
  readonly position?: number;
  readonly presence?: string;
};

const SIGNALS = ['TypingChanged', 'ReadMoved', 'PresenceChanged'];

export const EVENT_FIELDS = `
  __typename conversationId sequence previousSequence cursor occurredAt
  ... on MessageSent { message { id position body clientMessageId } }
  ... on MessageChanged { message { id position body clientMessageId } messageChange }
  ... on MemberChanged { user { id handle } member { role } memberChange }
  ... on ConversationChanged { conversation { id title topic } }
  ... on TypingChanged { user { id handle } isTyping }
  ... on ReadMoved { user { id handle } position }
  ... on PresenceChanged { user { id handle } presence }`;

/** Somebody who uses the API as their clients do. */
export class Person {
  readonly url: string;
  readonly id: string;
  readonly handle: string;
  readonly accessToken: string;
  readonly refreshToken: string;

  private constructor(url: string, id: string, handle: string, tokens: { readonly accessToken: string; readonly refreshToken: string }) {
    this.url = url;
    this.id = id;
    this.handle = handle;
    this.accessToken = tokens.accessToken;
    this.refreshToken = tokens.refreshToken;
  }

  static signUp(url: string, handle: string, displayName: string): Promise<Person> {
    return Person.#enter(url, 'signUp', 'SignUpInput', { handle, displayName, password: PASSWORD });
  }

  /** Somebody who is there already. */
  static signIn(url: string, handle: string, password = PASSWORD): Promise<Person> {
    return Person.#enter(url, 'signIn', 'SignInInput', { handle, password });
  }

  static async #enter(url: string, mutation: string, inputType: string, input: object): Promise<Person> {
    const { body } = await post<{ session: { user: { id: string; handle: string }; accessToken: string; refreshToken: string } }>(
      url,
      `mutation ($input: ${inputType}!) { session: ${mutation}(input: $input) { user { id handle } accessToken refreshToken } }`,
      { variables: { input } },
    );
    if (!body.data) throw new Error(`Must ${mutation}, got ${JSON.stringify(body.errors)}`);
    const { user, ...tokens } = body.data.session;
    return new Person(url, user.id, user.handle, tokens);
  }

  /** The same person in front of another server, such as the same one restarted. */
  at(url: string): Person {
    return new Person(url, this.id, this.handle, this);
  }

  async try<Data = Record<string, unknown>>(query: string, variables: object = {}): Promise<GraphQLResult<Data>> {
    return (await post<Data>(this.url, query, { variables, accessToken: this.accessToken })).body;
  }

  /** The data; throws when there are errors. */
  async ask<Data = Record<string, unknown>>(query: string, variables: object = {}): Promise<Data> {
    const { data, errors } = await this.try<Data>(query, variables);
    if (errors !== undefined || data === null || data === undefined) throw new Error(`Must succeed, got ${JSON.stringify(errors)}`);
    return data;
  }

  /** The first error; throws when there is none. */
  async refused(query: string, variables: object = {}): Promise<GraphQLFault> {
    const [error] = (await this.try(query, variables)).errors ?? [];
    if (error === undefined) throw new Error('Must be refused, got an answer.');
    return error;
  }

  async create(
    input: { readonly kind?: string; readonly title?: string | null; readonly members?: readonly Person[] } = {},
  ): Promise<ConversationAnswer> {
    const { kind = 'GROUP', title = kind === 'DIRECT' ? null : 'A conversation', members = [] } = input;
    const { createConversation } = await this.ask<{ createConversation: { conversation: ConversationAnswer } }>(
      'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { conversation { id cursor sequence } } }',
      { input: { kind, title, memberIds: members.map(({ id }) => id) } },
    );
    return createConversation.conversation;
  }

  async send(
    conversationId: string,
    body: string,
    clientMessageId: string = randomUUID(),
    replyToId?: string,
    threadRootId?: string,
  ): Promise<MessageAnswer & { readonly cursor: string }> {
    const { sendMessage } = await this.ask<{ sendMessage: { message: MessageAnswer; cursor: string } }>(
      'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { id position body clientMessageId } cursor } }',
      { input: { conversationId, body, clientMessageId, replyToId, threadRootId } },
    );
    return { ...sendMessage.message, cursor: sendMessage.cursor };
  }

  /** Writes in the thread of a message. */
  reply(conversationId: string, threadRootId: string, body: string) {
    return this.send(conversationId, body, undefined, undefined, threadRootId);
  }

  react(messageId: string, emoji: string) {
    return this.ask('mutation ($input: AddReactionInput!) { addReaction(input: $input) { cursor } }', { input: { messageId, emoji } });
  }

  unreact(messageId: string, emoji: string) {
    return this.ask('mutation ($input: RemoveReactionInput!) { removeReaction(input: $input) { cursor } }', {
      input: { messageId, emoji },
    });
  }

  pin(messageId: string) {
    return this.ask('mutation ($input: PinMessageInput!) { pinMessage(input: $input) { cursor } }', { input: { messageId } });
  }

  unpin(messageId: string) {
    return this.ask('mutation ($input: UnpinMessageInput!) { unpinMessage(input: $input) { cursor } }', { input: { messageId } });
  }

  edit(messageId: string, body: string) {
    return this.ask('mutation ($input: EditMessageInput!) { editMessage(input: $input) { cursor } }', { input: { messageId, body } });
  }

  delete(messageId: string) {
    return this.ask('mutation ($input: DeleteMessageInput!) { deleteMessage(input: $input) { message { deletedAt } } }', {
      input: { messageId },
    });
  }

  leave(conversationId: string) {
    return this.ask('mutation ($input: LeaveConversationInput!) { leaveConversation(input: $input) { cursor } }', {
      input: { conversationId },
    });
  }

  add(conversationId: string, ...people: readonly Person[]) {
    return this.ask('mutation ($input: AddMembersInput!) { addMembers(input: $input) { cursor } }', {
      input: { conversationId, userIds: people.map(({ id }) => id) },
    });
  }

  remove(conversationId: string, person: Person) {
    return this.ask('mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { cursor } }', {
      input: { conversationId, userId: person.id },
    });
  }

  setTyping(conversationId: string, isTyping = true) {
    return this.ask('mutation ($input: SetTypingInput!) { setTyping(input: $input) { conversation { id } } }', {
      input: { conversationId, isTyping },
    });
  }

  setPresence(presence: string) {
    return this.ask('mutation ($input: SetPresenceInput!) { setPresence(input: $input) { user { presence } } }', { input: { presence } });
  }

  markRead(conversationId: string, position: number, allowMoveBack = false) {
    return this.ask('mutation ($input: MarkReadInput!) { markRead(input: $input) { conversation { viewerReadPosition } } }', {
      input: { conversationId, position, allowMoveBack },
    });
  }

  setRole(conversationId: string, person: Person, role: string) {
    return this.ask('mutation ($input: SetMemberRoleInput!) { setMemberRole(input: $input) { member { role } } }', {
      input: { conversationId, userId: person.id, role },
    });
  }

  connect(): Promise<SocketClient> {
    return SocketClient.open(this.url, this.accessToken);
  }

  /** Follows one conversation over a WebSocket of its own; past the CaughtUp when it is not to be resumed. */
  async follow(conversationId: string, after?: string): Promise<Following> {
    const following = await Following.open(
      this,
      `subscription ($id: ID!, $after: EventCursor) { events: conversationEvents(conversationId: $id, after: $after) { ${EVENT_FIELDS} } }`,
      { id: conversationId, after },
    );
    if (after === undefined) await following.next();
    return following;
  }

  /** Follows everything the person is in. */
  async followAll(after?: string): Promise<Following> {
    const following = await Following.open(
      this,
      `subscription ($after: EventCursor) { events: viewerEvents(after: $after) { ${EVENT_FIELDS} } }`,
      { after },
    );
    if (after === undefined) await following.next();
    return following;
  }
}

/** A subscription on a socket of its own. */
export class Following implements AsyncDisposable {
  readonly socket: SocketClient;

  private constructor(socket: SocketClient) {
    this.socket = socket;
  }

  static async open(person: Person, query: string, variables: object): Promise<Following> {
    const socket = await person.connect();
    socket.subscribe('events', query, variables);
    return new Following(socket);
  }

  /** The next event of the chain. */
  async next(deadlineMs?: number): Promise<EventAnswer> {
    for (;;) {
      const event = await this.#any(deadlineMs);
      if (!isSignal(event)) return event;
      this.#passed.push(event);
    }
  }

  /** The next signal of a type, among those that `next` passed over too; others before it are gone. Meets no event of the chain. */
  async signal(typename: string, deadlineMs?: number): Promise<SignalAnswer> {
    for (;;) {
      const event = this.#passed.shift() ?? (await this.#any(deadlineMs));
      if (!isSignal(event)) throw new Error(`Must be a ${typename}, got ${JSON.stringify(event)}`);
      if (event.__typename === typename) return event;
    }
  }

  /** All signals that came before the next event of the chain, which is answered with them. */
  async signalsUntilNext(deadlineMs?: number): Promise<{ readonly signals: readonly SignalAnswer[]; readonly event: EventAnswer }> {
    const event = await this.next(deadlineMs);
    return { signals: this.#passed.splice(0), event };
  }

  readonly #passed: SignalAnswer[] = [];

  async #any(deadlineMs?: number): Promise<EventAnswer | SignalAnswer> {
    type Payload = { data: { events: EventAnswer | SignalAnswer } | null; errors?: unknown };
    const { data, errors } = await this.socket.nextOf<Payload>('events', deadlineMs);
    if (!data) throw new Error(`Must be an event, got ${JSON.stringify(errors)}`);
    return data.events;
  }

  async take(count: number): Promise<readonly EventAnswer[]> {
    const events: EventAnswer[] = [];
    while (events.length < count) events.push(await this.next());
    return events;
  }

  /** Everything up to the end of the replay, which is the last. */
  async untilCaughtUp(): Promise<readonly EventAnswer[]> {
    const events: EventAnswer[] = [];
    do events.push(await this.next());
    while (events.at(-1)?.__typename !== 'CaughtUp');
    return events;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.socket[Symbol.asyncDispose]();
  }
}

function isSignal(event: EventAnswer | SignalAnswer): event is SignalAnswer {
  return SIGNALS.includes(event.__typename);
}

/** People who have just signed up, each by a name nobody else has: `number` counts on. */
export async function signUpAll<const Names extends readonly string[]>(url: string, names: Names, number: () => number) {
  const people = await Promise.all(names.map((name) => Person.signUp(url, `${name}_${number()}`, name)));
  // One person for each name, in order.
  return people as { readonly [Index in keyof Names]: Person };
}
