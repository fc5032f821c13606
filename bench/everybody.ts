import WebSocket from 'ws';
import { post } from '../test/kit/http.ts';
import type { ServerProcess } from './server-process.ts';

const SOCKETS_PER_PERSON = 50;
const MEMBERS_PER_CALL = 100;
const FOLLOW = `subscription ($id: ID!) { conversationEvents(conversationId: $id) {
  __typename sequence previousSequence cursor ... on MessageSent { message { id position body createdAt author { id } } }
} }`;

/** A CHANNEL with as many people as so many sockets need, who do what the service does for them. */
export class Everybody {
  readonly #server: ServerProcess;
  readonly #people: readonly string[];
  readonly #conversationId: string;

  private constructor(server: ServerProcess, people: readonly string[], conversationId: string) {
    this.#server = server;
    this.#people = people;
    this.#conversationId = conversationId;
  }

  static async of(server: ServerProcess, sockets: number): Promise<Everybody> {
    const people: string[] = [];
    for (let index = 0; index < Math.ceil(sockets / SOCKETS_PER_PERSON); index += 1) {
      const { createUser } = await ask<{ createUser: { user: { id: string } } }>(
        server,
        'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } } }',
        { input: { handle: `person_${index}`, displayName: `Person ${index}`, tier: 'ENTERPRISE' } },
      );
      people.push(createUser.user.id);
    }
    const [owner, ...others] = people;
    const { createConversation } = await ask<{ createConversation: { conversation: { id: string } } }>(
      server,
      'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { conversation { id } } }',
      { input: { kind: 'CHANNEL', title: 'Everybody', memberIds: others.slice(0, MEMBERS_PER_CALL) } },
      owner,
    );
    const { id } = createConversation.conversation;
    for (let start = MEMBERS_PER_CALL; start < others.length; start += MEMBERS_PER_CALL) {
      const input = { conversationId: id, userIds: others.slice(start, start + MEMBERS_PER_CALL) };
      await ask(server, 'mutation ($input: AddMembersInput!) { addMembers(input: $input) { cursor } }', { input }, owner);
    }
    return new Everybody(server, people, id);
  }

  /** By the owner. */
  async send(clientMessageId: string, body: string): Promise<void> {
    const input = { conversationId: this.#conversationId, clientMessageId, body };
    await ask(this.#server, 'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { cursor } }', { input }, this.#people[0]);
  }

  /** A socket of one of them, in turn, that follows the conversation; resolves when CaughtUp has come. */
  async follow(index: number): Promise<WebSocket> {
    const { url, serviceToken } = this.#server;
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const ready = Promise.withResolvers<void>();
    let seen = 0;
    socket.once('open', () => {
      const payload = { authorization: `Bearer ${serviceToken}`, actingAs: this.#people[index % this.#people.length] };
      socket.send(JSON.stringify({ type: 'connection_init', payload }));
    });
    const listen = () => {
      seen += 1;
      const payload = { query: FOLLOW, variables: { id: this.#conversationId } };
      // First the acknowledgement, then CaughtUp.
      if (seen === 1) socket.send(JSON.stringify({ type: 'subscribe', id: 'events', payload }));
      if (seen < 2) return;
      socket.off('message', listen);
      ready.resolve();
    };
    socket.on('message', listen);
    socket.once('error', ready.reject);
    await ready.promise;
    return socket;
  }
}

async function ask<Data>({ url, serviceToken }: ServerProcess, query: string, variables: object, actingAs?: string): Promise<Data> {
  const headers = actingAs === undefined ? {} : { 'Rookery-Acting-As': actingAs };
  const { body } = await post<Data>(url, query, { variables, accessToken: serviceToken, headers });
  if (!body.data) throw new Error(`Must succeed, got ${JSON.stringify(body.errors)}`);
  return body.data;
}
