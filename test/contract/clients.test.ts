import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient as createUrqlClient, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient as createSocketClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { EventReader, post } from '../kit/http.ts';
import { EVENT_FIELDS, type EventAnswer, type Person } from '../kit/person.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const SNAPSHOT = `query Snapshot($id: ID!) {
  conversation(id: $id) { id title sequence cursor messages(last: 5) { edges { cursor node { id body author { id handle } } } pageInfo { hasPreviousPage } } }
}`;
const SEND = 'mutation Send($input: SendMessageInput!) { sendMessage(input: $input) { message { id body position } cursor } }';
const FOLLOW = `subscription Follow($id: ID!, $after: EventCursor) { conversationEvents(conversationId: $id, after: $after) { ${EVENT_FIELDS} } }`;
const EVENT_TYPES = ['MessageSent', 'MessageChanged', 'MemberChanged', 'ConversationChanged', 'CaughtUp'];
const DEADLINE_MS = 5_000;

type Snapshot = {
  readonly conversation: {
    readonly title: string;
    readonly sequence: number;
    readonly cursor: string;
    readonly messages: { readonly edges: readonly { readonly node: { readonly body: string } }[] };
  };
};
type Events = { readonly conversationEvents: EventAnswer };

/** The three kinds of operation, each in the words of one client library. */
type Client = {
  query<Data>(text: string, variables: Record<string, unknown>): Promise<Data>;
  mutate<Data>(text: string, variables: Record<string, unknown>): Promise<Data>;
  /** Answers how to stop. */
  subscribe(variables: Record<string, unknown>, stream: Stream): () => void;
  /** Breaks the connection under the library, as a lost network does. */
  cut(): void;
  stop(): void | Promise<void>;
};

/** What a subscription brought, to be waited for. */
class Stream {
  readonly events: EventAnswer[] = [];
  #isOver = false;
  #changed = () => {};

  next(data: Events | null | undefined, errors?: unknown): void {
    if (!data) throw new Error(`Must be an event, got ${JSON.stringify(errors)}`);
    this.events.push(data.conversationEvents);
    this.#changed();
  }

  end(): void {
    this.#isOver = true;
    this.#changed();
  }

  until(body: string): Promise<void> {
    return this.#wait(`"${body}"`, () => this.events.some(({ message }) => message?.body === body));
  }

  untilOver(): Promise<void> {
    return this.#wait('the end', () => this.#isOver);
  }

  async #wait(what: string, isTrue: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = () => reject(new Error(`${what} must come within ${DEADLINE_MS} ms, got ${JSON.stringify(this.events)}`));
    const timer = setTimeout(late, DEADLINE_MS);
    this.#changed = () => {
      if (isTrue()) resolve();
    };
    this.#changed();
    await promise.finally(() => clearTimeout(timer));
  }
}

/** A graphql-ws client of a person, and a way to break its connection. */
function socketClient(person: Person, retryAttempts: number) {
  let newest: WebSocket | undefined;
  class CuttableSocket extends WebSocket {
    constructor(address: string, protocols?: string | string[]) {
      super(address, protocols);
      newest = this;
    }
  }
  const client = createSocketClient({
    url: `${person.url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: CuttableSocket,
    connectionParams: { authorization: `Bearer ${person.accessToken}` },
    retryAttempts,
    retryWait: async () => {},
  });
  return { client, cut: () => newest?.terminate() };
}

function graphqlWs(person: Person): Client {
  const { client, cut } = socketClient(person, 0);
  async function run<Data>(query: string, variables: Record<string, unknown>): Promise<Data> {
    for await (const { data, errors } of client.iterate<Data>({ query, variables })) {
      if (!data) throw new Error(JSON.stringify(errors));
      return data;
    }
    throw new Error('An answer must come.');
  }
  return {
    query: run,
    mutate: run,
    subscribe: (variables, stream) =>
      client.subscribe<Events>(
        { query: FOLLOW, variables },
        { next: ({ data, errors }) => stream.next(data, errors), error: () => stream.end(), complete: () => stream.end() },
      ),
    cut,
    stop: () => client.dispose(),
  };
}

function apollo(person: Person): Client {
  const { client: socket, cut } = socketClient(person, 0);
  const http = new HttpLink({ uri: `${person.url}/graphql`, headers: { authorization: `Bearer ${person.accessToken}` } });
  const link = ApolloLink.split(({ operationType }) => operationType === 'subscription', new GraphQLWsLink(socket), http);
  const cache = new InMemoryCache({
    possibleTypes: { ConversationEvent: EVENT_TYPES },
    // Events are values, each of its own; what they hold is normalised as everything else.
    typePolicies: { Subscription: { fields: { conversationEvents: { merge: false } } } },
  });
  const client = new ApolloClient({ link, cache });
  return {
    // What the documents above select, as the caller says; the library cannot know.
    query: async <Data>(text: string, variables: Record<string, unknown>) =>
      (await client.query({ query: gql(text), variables })).data as Data,
    mutate: async <Data>(text: string, variables: Record<string, unknown>) =>
      (await client.mutate({ mutation: gql(text), variables })).data as Data,
    subscribe(variables, stream) {
      const subscription = client.subscribe<Events>({ query: gql(FOLLOW), variables }).subscribe({
        next: ({ data, error }) => (error ? stream.end() : stream.next(data)),
        error: () => stream.end(),
        complete: () => stream.end(),
      });
      return () => subscription.unsubscribe();
    },
    cut,
    async stop() {
      client.stop();
      await socket.dispose();
    },
  };
}

function urql(person: Person): Client {
  const { client: socket, cut } = socketClient(person, 0);
  const client = createUrqlClient({
    url: `${person.url}/graphql`,
    fetchOptions: { headers: { authorization: `Bearer ${person.accessToken}` } },
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe(
              { query, variables: variables ?? null },
              {
                next: ({ data = null, errors = [] }) => sink.next(errors.length === 0 ? { data } : { data, errors }),
                error: (error) => sink.error(error),
                complete: () => sink.complete(),
              },
            ),
          }),
        }),
      }),
    ],
  });
  return {
    async query<Data>(text: string, variables: Record<string, unknown>) {
      const { data, error } = await client.query(text, variables).toPromise();
      if (error) throw error;
      return data as Data; // As above.
    },
    async mutate<Data>(text: string, variables: Record<string, unknown>) {
      const { data, error } = await client.mutation(text, variables).toPromise();
      if (error) throw error;
      return data as Data; // As above.
    },
    subscribe(variables, stream) {
      const subscription = client
        .subscription<Events>(FOLLOW, variables)
        .subscribe(({ data, error }) => (error ? stream.end() : stream.next(data)));
      return () => subscription.unsubscribe();
    },
    cut,
    stop: () => socket.dispose(),
  };
}

/** As the browser's EventSource does it: the address stays the same for ever, and Last-Event-ID says where it was. */
function eventSource(person: Person): Client {
  const { url, accessToken } = person;
  const options = (variables: Record<string, unknown>) => ({ variables, accessToken });
  let reader: EventReader | undefined;
  let firstVariables: Record<string, unknown> | undefined;
  async function run<Data>(text: string, variables: Record<string, unknown>): Promise<Data> {
    const { body } = await post<Data>(url, text, options(variables));
    if (!body.data) throw new Error(JSON.stringify(body.errors));
    return body.data;
  }
  async function read(variables: Record<string, unknown>, stream: Stream): Promise<void> {
    firstVariables ??= variables;
    const headers: Record<string, string> = firstVariables === variables ? {} : { 'Last-Event-ID': String(variables['after']) };
    const opened = await EventReader.open(url, FOLLOW, { ...options(firstVariables), headers, method: 'GET' });
    reader = opened;
    for (let event = await opened.next(); event !== null; event = await opened.next()) {
      if (event.event === 'complete') return;
      stream.next(event.data?.data as Events | null | undefined, event.data?.errors); // What FOLLOW selects.
      expect(event.id).toBe(stream.events.at(-1)?.cursor);
    }
  }
  return {
    query: run,
    mutate: run,
    subscribe(variables, stream) {
      const end = () => stream.end();
      void read(variables, stream).then(end, end);
      return () => void reader?.[Symbol.asyncDispose]();
    },
    cut: () => void reader?.[Symbol.asyncDispose](),
    stop: () => reader?.[Symbol.asyncDispose](),
  };
}

const LIBRARIES = {
  'Apollo Client with GraphQLWsLink': apollo,
  'urql with subscriptionExchange': urql,
  'graphql-ws alone': graphqlWs,
  'EventSource with Last-Event-ID': eventSource,
};

describe.each(Object.entries(LIBRARIES))('%s', (_, connect) => {
  test('reads, writes, follows, and goes on after a cut without a gap or a repeat', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben], title: 'Of clients' });
    const first = await ada.send(id, 'read at first');
    const client = connect(ben);
    await using _stop = { [Symbol.asyncDispose]: async () => client.stop() };

    const { conversation } = await client.query<Snapshot>(SNAPSHOT, { id });
    expect(conversation.title).toBe('Of clients');
    expect(conversation.messages.edges.map(({ node }) => node.body)).toEqual(['read at first']);

    const before = new Stream();
    client.subscribe({ id, after: conversation.cursor }, before);
    const input = { conversationId: id, clientMessageId: 'of-the-client', body: 'written by the client' };
    const { sendMessage } = await client.mutate<{ sendMessage: { message: { position: number } } }>(SEND, { input });
    expect(sendMessage.message.position).toBe(2);
    await before.until('written by the client');
    await ada.send(id, 'live');
    await before.until('live');

    client.cut();
    await before.untilOver();
    await ada.send(id, 'while away');
    await ada.edit(first.id, 'edited while away');

    const after = new Stream();
    const stop = client.subscribe({ id, after: before.events.at(-1)?.cursor }, after);
    await after.until('edited while away');
    await ada.send(id, 'live again');
    await after.until('live again');
    stop();

    const all = [...before.events, ...after.events];
    expect(all.flatMap(({ message }) => (message ? [message.body] : []))).toEqual([
      'written by the client',
      'live',
      'while away',
      'edited while away',
      'live again',
    ]);
    expect(all.map(({ previousSequence }) => previousSequence)).toEqual([
      conversation.sequence,
      ...all.slice(0, -1).map(({ sequence }) => sequence),
    ]);
  });
});

describe("graphql-ws' own reconnection", () => {
  test('goes on from the newest cursor when the variables are read anew, and tells nothing twice', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id, cursor, sequence } = await ada.create({ members: [ben] });
    const { client, cut } = socketClient(ben, 5);
    await using _stop = { [Symbol.asyncDispose]: async () => client.dispose() };
    const stream = new Stream();
    // The client writes its message anew for each connection, and so reads the getter then.
    const variables = {
      id,
      get after() {
        return stream.events.at(-1)?.cursor ?? cursor;
      },
    };
    const end = () => stream.end();
    client.subscribe<Events>(
      { query: FOLLOW, variables },
      { next: ({ data, errors }) => stream.next(data, errors), error: end, complete: end },
    );
    const bodies = ['one', 'two', 'three', 'four'];
    for (const body of bodies) {
      await ada.send(id, body);
      await stream.until(body);
      cut();
    }
    const told = stream.events.flatMap(({ message }) => (message ? [message.body] : []));
    expect(told).toEqual(bodies);
    expect(stream.events.map(({ previousSequence }) => previousSequence)).toEqual([
      sequence,
      ...stream.events.slice(0, -1).map((event) => event.sequence),
    ]);
  });
});
