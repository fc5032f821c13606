import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import {
  type ClientOptions,
  type ConversationEvent,
  createRookeryClient,
  type FollowOptions,
  type RookeryProblem,
} from '../src/client/client.ts';
import { createTestDatabase } from './kit/database.ts';
import { post } from './kit/http.ts';
import { DEFAULT_POLICIES, GENEROUS_POLICIES } from './kit/limits/policies.ts';
import type { Person } from './kit/person.ts';
import { startProxy } from './kit/proxy.ts';
import { startTestServer } from './kit/server.ts';

const DEADLINE = { timeout: 15_000 };
const SECRET = 'one secret for all lives of the server, long enough';

describe('a conversation is followed', () => {
  test('from a snapshot, in order, each event with what was selected by default', async () => {
    await using server = await startTestServer();
    const [ada, ben] = await server.people('ada', 'ben');
    const { id, cursor } = await ada.create({ members: [ben] });
    const sent = await ben.send(id, 'before');
    using client = clientOf(ada);
    const log = record();
    const following = client.followConversation({ conversationId: id, after: cursor, ...log });
    await vi.waitFor(() => expect(log.statuses).toEqual(['connecting', 'live']), DEADLINE);
    await ben.edit(sent.id, 'edited');
    await ada.remove(id, ben);
    await vi.waitFor(() => expect(log.events).toHaveLength(4), DEADLINE);

    expect(log.events).toMatchObject([
      { __typename: 'MessageSent', message: { body: 'before', position: 1, author: { displayName: 'ben' } } },
      { __typename: 'CaughtUp' },
      { __typename: 'MessageChanged', message: { id: sent.id, body: 'edited' } },
      { __typename: 'MemberChanged', member: null, user: { id: ben.id, displayName: 'ben' } },
    ]);
    expect(following).toMatchObject({ status: 'live', cursor: log.events.at(-1)?.cursor });
    expect(log.problems).toEqual([]);
    following.stop();
    following.stop();
    expect(log.statuses).toEqual(['connecting', 'live', 'stopped']);
  });

  test('with a selection of one’s own', async () => {
    await using server = await startTestServer();
    const [ada] = await server.people('ada');
    const { id, cursor } = await ada.create();
    await ada.send(id, 'hello');
    using client = clientOf(ada);
    const events: unknown[] = [];
    const selection = '... on MessageSent { message { position body } }';
    client.followConversation({ conversationId: id, after: cursor, selection, onEvent: (event) => events.push(event) });
    await vi.waitFor(() => expect(events).toHaveLength(2), DEADLINE);
    expect(events[0]).toEqual({
      __typename: 'MessageSent',
      conversationId: id,
      sequence: 2,
      previousSequence: 1,
      cursor: expect.any(String),
      message: { position: 1, body: 'hello' },
    });
  });

  test('through a restart of the server at another port', async () => {
    await using database = await createTestDatabase();
    const first = await startTestServer({ database, config: { secret: SECRET } });
    await using proxy = await startProxy(first.app.port);
    const [ada, ben] = await first.people('ada', 'ben');
    const { id, cursor } = await ada.create({ members: [ben] });
    using client = clientOf(ada, { url: `${proxy.url}/graphql` });
    const log = record();
    client.followConversation({ conversationId: id, after: cursor, ...log });
    await ben.send(id, 'one');
    await vi.waitFor(() => expect(bodiesOf(log.events)).toEqual(['one']), DEADLINE);
    await first[Symbol.asyncDispose]();
    await vi.waitFor(() => expect(log.statuses).toContain('waiting'), DEADLINE);

    await using second = await startTestServer({ database, config: { secret: SECRET } });
    await ben.at(second.url).send(id, 'two');
    proxy.targetPort = second.app.port;
    await vi.waitFor(() => expect(bodiesOf(log.events)).toEqual(['one', 'two']), DEADLINE);
    expectUnbroken(log.events);
    expect(log.statuses.at(-1)).toBe('live');
    expect(log.problems.map(({ code }) => code)).toContain('CONNECTION_LOST');
  });

  test('with a second following over the same socket', async () => {
    await using server = await startTestServer();
    await using proxy = await startProxy(server.app.port);
    const [ada] = await server.people('ada');
    using client = clientOf(ada, { url: `${proxy.url}/graphql` });
    const one = record();
    const other = record();
    client.followConversation({ conversationId: (await ada.create()).id, ...one });
    client.followInbox({ viewerId: ada.id, ...other });
    await vi.waitFor(() => expect([one.statuses.at(-1), other.statuses.at(-1)]).toEqual(['live', 'live']), DEADLINE);
    expect(proxy.connections).toBe(1);
  });

  test('until the viewer is removed, which completes it after the event that says so', async () => {
    await using server = await startTestServer();
    const [ada, ben] = await server.people('ada', 'ben');
    const { id, cursor } = await ada.create({ members: [ben] });
    using client = clientOf(ben);
    const log = record();
    client.followConversation({ conversationId: id, after: cursor, ...log });
    await vi.waitFor(() => expect(log.statuses).toContain('live'), DEADLINE);
    await ada.remove(id, ben);
    await ada.send(id, 'without ben');
    await vi.waitFor(() => expect(log.statuses).toEqual(['connecting', 'live', 'completed']), DEADLINE);
    expect(log.events.at(-1)).toMatchObject({ __typename: 'MemberChanged', user: { id: ben.id }, member: null });
    expect(log.problems).toEqual([]);
  });

  test('no further when there is no such conversation, a cursor is not one, or the selection is wrong', async () => {
    await using server = await startTestServer();
    const [ada, eve] = await server.people('ada', 'eve');
    const { id } = await ada.create();
    using client = clientOf(eve);
    using own = clientOf(ada);
    const logs = [record(), record(), record()] as const;
    client.followConversation({ conversationId: id, ...logs[0] });
    own.followConversation({ conversationId: id, after: 'forged', ...logs[1] });
    own.followConversation({ conversationId: id, selection: 'nonsense', ...logs[2] });
    await vi.waitFor(() => expect(logs.map(({ statuses }) => statuses.at(-1))).toEqual(['failed', 'failed', 'failed']), DEADLINE);
    expect(logs.map(({ problems }) => problems.map(({ code, isFinal }) => ({ code, isFinal })))).toEqual([
      [{ code: 'NOT_FOUND', isFinal: true }],
      [{ code: 'BAD_USER_INPUT', isFinal: true }],
      [{ code: 'GRAPHQL_VALIDATION_FAILED', isFinal: true }],
    ]);
  });

  test('again from the same event when it could not be taken', async () => {
    await using server = await startTestServer();
    const [ada] = await server.people('ada');
    const { id, cursor } = await ada.create();
    for (const body of ['one', 'two', 'three']) await ada.send(id, body);
    using client = clientOf(ada);
    const log = record();
    let isReady = false;
    client.followConversation({
      conversationId: id,
      after: cursor,
      ...log,
      onEvent(event) {
        if (!isReady && event.__typename === 'MessageSent' && event.message.body === 'two') {
          isReady = true;
          throw new Error('not now');
        }
        log.onEvent(event);
      },
    });
    await vi.waitFor(() => expect(log.statuses).toContain('live'), DEADLINE);
    expect(bodiesOf(log.events)).toEqual(['one', 'two', 'three']);
    expect(log.problems).toMatchObject([{ code: 'CONSUMER_FAILED', isFinal: false, cause: new Error('not now') }]);
  });

  test('at the pace of who takes it: stopped at any event, it goes on after it', async () => {
    await using server = await startTestServer();
    const [ada] = await server.people('ada');
    const { id, cursor } = await ada.create();
    for (let number = 1; number <= 60; number += 1) await ada.send(id, String(number));
    using client = clientOf(ada);
    const log = record();
    const following = client.followConversation({
      conversationId: id,
      after: cursor,
      ...log,
      onEvent(event) {
        log.onEvent(event);
        if (log.events.length % 20 === 0) following.stop();
      },
    });
    for (const count of [20, 40, 60]) {
      await vi.waitFor(() => expect(log.statuses.at(-1)).toBe('stopped'), DEADLINE);
      expect(log.events).toHaveLength(count);
      expect(following.cursor).toBe(log.events.at(-1)?.cursor);
      following.resume();
    }
    await vi.waitFor(() => expect(log.statuses.at(-1)).toBe('live'), DEADLINE);
    expect(bodiesOf(log.events)).toEqual(Array.from({ length: 60 }, (_, index) => String(index + 1)));
    expectUnbroken(log.events, 1);
    expect(log.problems).toEqual([]);
  });

  test('until the client is closed', async () => {
    await using server = await startTestServer();
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const client = clientOf(ada);
    const log = record();
    client.followConversation({ conversationId: id, ...log });
    await vi.waitFor(() => expect(log.statuses).toContain('live'), DEADLINE);
    client.close();
    expect(log).toMatchObject({ statuses: ['connecting', 'live', 'stopped'], problems: [] });
    const late = record();
    client.followConversation({ conversationId: id, ...late });
    await vi.waitFor(() => expect(late.statuses).toEqual(['connecting', 'failed']), DEADLINE);
    expect(late.problems).toMatchObject([{ message: 'The client was closed.', isFinal: true }]);
    const message = { conversationId: id, clientMessageId: randomUUID(), body: 'too late' };
    await expect(client.send(message)).rejects.toMatchObject({ message: 'The client was closed.' });
  });

  test('once there is room on the socket: more operations than one may run are told, and tried again', async () => {
    await using server = await startTestServer({ limitPolicies: { ...GENEROUS_POLICIES, sockets: DEFAULT_POLICIES.sockets } });
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    using client = clientOf(ada);
    const logs = Array.from({ length: 52 }, record);
    const followings = logs.map((log) => client.followConversation({ conversationId: id, ...log }));
    const live = () => followings.filter(({ status }) => status === 'live').length;
    await vi.waitFor(() => expect(live()).toBeGreaterThan(48), DEADLINE);
    await vi.waitFor(
      () => expect(logs.flatMap(({ problems }) => problems)[0]).toMatchObject({ code: 'OVERLOADED', isFinal: false }),
      DEADLINE,
    );
    for (const following of followings.slice(0, 10)) following.stop();
    await vi.waitFor(() => expect(live()).toBe(42), DEADLINE);
  });
});

describe('the chain', () => {
  test('holds for everybody while connections are cut at random and all write at once', async () => {
    await using server = await startTestServer();
    await using proxy = await startProxy(server.app.port);
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id, cursor, sequence } = await ada.create({ members: [ben, cy] });
    using client = clientOf(ada, { url: `${proxy.url}/graphql`, random: () => Math.random() / 20 });
    using other = clientOf(ben, { url: `${proxy.url}/graphql`, random: () => Math.random() / 20 });
    const logs = [record(), record()] as const;
    client.followConversation({ conversationId: id, after: cursor, ...logs[0] });
    other.followConversation({ conversationId: id, after: cursor, ...logs[1] });

    let isWriting = true;
    const cutting = (async () => {
      while (isWriting) {
        await sleep(Math.random() * 120); // Any moment will do: it is the schedule, not a wait.
        proxy.cut();
      }
    })();
    const write = async (person: Person) => {
      for (let number = 1; number <= 150; number += 1) await person.send(id, `${person.handle} ${number}`);
    };
    await Promise.all([ada, ben, cy].map(write));
    isWriting = false;
    await cutting;

    const { conversation } = await ada.ask<{ conversation: { sequence: number } }>(
      'query ($id: ID!) { conversation(id: $id) { sequence } }',
      { id },
    );
    for (const log of logs) {
      await vi.waitFor(
        () => expect(log.events.findLast(({ sequence }) => sequence !== null)?.sequence).toBe(conversation.sequence),
        DEADLINE,
      );
      expectUnbroken(log.events, sequence);
      const bodies = bodiesOf(log.events);
      expect(bodies).toHaveLength(450);
      expect(new Set(bodies).size).toBe(450);
      expect(log.problems.filter(({ code }) => code !== 'CONNECTION_LOST')).toEqual([]);
      expect(log.statuses.filter((status) => status === 'waiting').length).toBeGreaterThan(2);
    }
  });

  test('holds for the inbox through cuts, leaving and coming back: nothing is missing, nothing is told twice', async () => {
    await using server = await startTestServer();
    await using proxy = await startProxy(server.app.port);
    const [ada, ben] = await server.people('ada', 'ben');
    const conversations = await Promise.all([1, 2, 3].map(() => ada.create({ members: [ben] })));
    const { viewer } = await ben.ask<{ viewer: { cursor: string } }>('query { viewer { cursor } }');
    using client = clientOf(ben, { url: `${proxy.url}/graphql`, random: () => Math.random() / 20 });
    const log = record();
    client.followInbox({ viewerId: ben.id, after: viewer.cursor, ...log });

    let isWriting = true;
    const cutting = (async () => {
      while (isWriting) {
        await sleep(Math.random() * 150);
        proxy.cut();
      }
    })();
    await Promise.all(
      conversations.map(async ({ id }, index) => {
        for (let number = 1; number <= 120; number += 1) {
          await ada.send(id, `${index} ${number}`);
          if (index > 0 || number % 20 > 0) continue;
          await ada.remove(id, ben);
          await ada.send(id, `${index} ${number} without ben`);
          await ada.add(id, ben);
        }
      }),
    );
    isWriting = false;
    await cutting;
    const last = await Promise.all(conversations.map(({ id }) => ada.send(id, 'the last')));
    await vi.waitFor(() => {
      const seen = log.events.map((event) => (event.__typename === 'MessageSent' ? event.message.id : null));
      expect(last.filter(({ id }) => !seen.includes(id))).toEqual([]);
    }, DEADLINE);

    for (const { id, sequence } of conversations.slice(1)) {
      const own = log.events.filter(({ conversationId }) => conversationId === id);
      // The cursor of an inbox may lie before its snapshot, while others write to the same PostgreSQL.
      expect(own[0]?.previousSequence).toBeLessThanOrEqual(sequence);
      expectUnbroken(own);
      expect(bodiesOf(own)).toHaveLength(121);
    }
    const revolving = log.events.filter(({ conversationId }) => conversationId === conversations[0]?.id);
    const told = bodiesOf(revolving);
    expect(new Set(told).size).toBe(told.length);
    expect(told.length).toBeGreaterThan(10);
    expect(told.at(-1)).toBe('the last');
    expect(log.problems.filter(({ code }) => code !== 'CONNECTION_LOST')).toEqual([]);
  });

  test('is mended when an event is lost on the way: it is told, and asked for again', async () => {
    await using server = await startTestServer();
    const [ada] = await server.people('ada');
    const { id, cursor } = await ada.create();
    using client = clientOf(ada, { Socket: losing((text) => text.includes('"lost"')) });
    const log = record();
    client.followConversation({ conversationId: id, after: cursor, ...log });
    await vi.waitFor(() => expect(log.statuses).toContain('live'), DEADLINE);
    for (const body of ['one', 'lost', 'three']) await ada.send(id, body);
    await vi.waitFor(() => expect(bodiesOf(log.events)).toEqual(['one', 'lost', 'three']), DEADLINE);
    expectUnbroken(log.events, 1);
    expect(log.problems.map(({ code }) => code)).toEqual(['CHAIN_BROKEN']);
  });

  test('is mended in the inbox, too', async () => {
    await using server = await startTestServer();
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const { viewer } = await ada.ask<{ viewer: { cursor: string } }>('query { viewer { cursor } }');
    using client = clientOf(ada, { Socket: losing((text) => text.includes('"lost"')) });
    const log = record();
    client.followInbox({ viewerId: ada.id, after: viewer.cursor, ...log });
    await vi.waitFor(() => expect(log.statuses).toContain('live'), DEADLINE);
    for (const body of ['one', 'lost', 'three']) await ada.send(id, body);
    await vi.waitFor(() => expect(bodiesOf(log.events)).toEqual(['one', 'lost', 'three']), DEADLINE);
    expect(log.problems.map(({ code }) => code)).toEqual(['CHAIN_BROKEN']);
  });
});

describe('a token', () => {
  test('that has expired is replaced, and the stream goes on', async () => {
    await using server = await startTestServer({ config: { accessTokenTtlMs: 1_500 } });
    const [ada] = await server.people('ada');
    const { id, cursor } = await ada.create();
    const session = sessionOf(ada);
    using client = clientOf(ada, { accessToken: session.accessToken });
    const log = record();
    client.followConversation({ conversationId: id, after: cursor, ...log });
    await vi.waitFor(() => expect(session.refused.length).toBeGreaterThan(1), DEADLINE);
    await vi.waitFor(() => expect(log.statuses.filter((status) => status === 'live').length).toBeGreaterThan(2), DEADLINE);
    expectUnbroken(log.events);
    expect(new Set(log.problems.map(({ code }) => code))).toEqual(new Set(['UNAUTHENTICATED']));
    expect(new Set(session.refused).size).toBe(session.refused.length);
  });

  test('that is refused and has no successor ends everything; one that cannot be had just now does not', async () => {
    await using server = await startTestServer();
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const logs = [record(), record(), record()] as const;
    using stale = clientOf(ada, { accessToken: () => 'stale' });
    using gone = clientOf(ada, { accessToken: () => null });
    let attempts = 0;
    using late = clientOf(ada, {
      accessToken() {
        attempts += 1;
        if (attempts < 3) throw new Error('not just now');
        return ada.accessToken;
      },
    });
    stale.followConversation({ conversationId: id, ...logs[0] });
    gone.followConversation({ conversationId: id, ...logs[1] });
    late.followConversation({ conversationId: id, ...logs[2] });
    await vi.waitFor(() => expect(logs.map(({ statuses }) => statuses.at(-1))).toEqual(['failed', 'failed', 'live']), DEADLINE);
    expect(logs.map(({ problems }) => problems.map(({ code, isFinal }) => `${code} ${isFinal}`))).toEqual([
      ['UNAUTHENTICATED false', 'UNAUTHENTICATED true'],
      ['UNAUTHENTICATED true'],
      ['CONNECTION_LOST false', 'CONNECTION_LOST false'],
    ]);
  });
});

test('a cursor of an earlier copy of the database is told, so that a new snapshot can be read', async () => {
  await using copy = await startTestServer({ config: { secret: SECRET } });
  await using server = await startTestServer({ config: { secret: SECRET } });
  const [before] = await copy.people('ada');
  const [ada] = await server.people('ada');
  const { viewer } = await before.ask<{ viewer: { cursor: string } }>('query { viewer { cursor } }');
  using client = clientOf(ada);
  const log = record();
  client.followInbox({ viewerId: ada.id, after: viewer.cursor, ...log });
  await vi.waitFor(() => expect(log.statuses).toEqual(['connecting', 'failed']), DEADLINE);
  expect(log.problems).toMatchObject([{ code: 'CURSOR_EXPIRED', isFinal: true }]);
});

describe('a network', () => {
  test('that died without a word is noticed, and left for a new connection', async () => {
    await using server = await startTestServer();
    await using proxy = await startProxy(server.app.port);
    const [ada] = await server.people('ada');
    const { id, cursor } = await ada.create();
    using client = clientOf(ada, { url: `${proxy.url}/graphql`, pingIntervalMs: 200, pongTimeoutMs: 1_000 });
    const log = record();
    client.followConversation({ conversationId: id, after: cursor, ...log });
    await vi.waitFor(() => expect(log.statuses).toEqual(['connecting', 'live']), DEADLINE);
    proxy.blackHole();
    await ada.send(id, 'into the void');
    await vi.waitFor(() => expect(log.problems[0]?.message).toBe('The server said nothing for 1000 ms.'), DEADLINE);
    proxy.heal();
    await vi.waitFor(() => expect(bodiesOf(log.events)).toEqual(['into the void']), { timeout: 25_000 });
    expectUnbroken(log.events, 1);
  }, 60_000);

  test('that refuses is tried later and later, until it heals', async () => {
    await using server = await startTestServer();
    await using proxy = await startProxy(server.app.port);
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    proxy.refuse();
    using client = clientOf(ada, { url: `${proxy.url}/graphql`, random: () => 0.1 });
    const log = record();
    client.followConversation({ conversationId: id, ...log });
    await vi.waitFor(() => expect(log.problems.length).toBeGreaterThan(3), DEADLINE);
    expect(log.statuses.filter((status) => status === 'live')).toEqual([]);
    proxy.heal();
    await vi.waitFor(() => expect(log.statuses.at(-1)).toBe('live'), DEADLINE);
  });
});

describe('a message is sent', () => {
  test('once, however often its answer is lost', async () => {
    await using server = await startTestServer();
    const [ada] = await server.people('ada');
    const { id, cursor } = await ada.create();
    let lost = 0;
    // The answer is on its way; the connection is gone before it arrives.
    const Socket = losing((text, socket) => {
      if (!text.includes('"answer"') || lost === 2) return false;
      lost += 1;
      socket.close();
      return true;
    });
    using client = clientOf(ada, { Socket });
    const answer = await client.send({ conversationId: id, clientMessageId: randomUUID(), body: 'Once only.' });
    expect(answer).toMatchObject({ message: { position: 1 }, cursor: expect.any(String) });
    expect(lost).toBe(2);
    const log = record();
    client.followConversation({ conversationId: id, after: cursor, ...log });
    await vi.waitFor(() => expect(log.statuses).toContain('live'), DEADLINE);
    expect(bodiesOf(log.events)).toEqual(['Once only.']);
  });

  test('under a key of one’s own, and refused for good when it cannot be', async () => {
    await using server = await startTestServer();
    const [ada, eve] = await server.people('ada', 'eve');
    const { id } = await ada.create();
    using client = clientOf(ada);
    const clientMessageId = randomUUID();
    const first = await client.send({ conversationId: id, body: 'one', clientMessageId });
    expect(await client.send({ conversationId: id, body: 'one', clientMessageId })).toEqual(first);
    await expect(client.send({ conversationId: id, body: 'two', clientMessageId })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(client.send({ conversationId: id, clientMessageId: randomUUID(), body: '' })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    using stranger = clientOf(eve);
    await expect(stranger.send({ conversationId: id, clientMessageId, body: 'one' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

type Heard = { readonly data: unknown };

/** `Socket` is what it takes for a WebSocket. */
function clientOf(person: Person, { Socket = WebSocket, ...options }: Partial<ClientOptions> & { Socket?: typeof WebSocket } = {}) {
  vi.stubGlobal('WebSocket', Socket);
  const client = createRookeryClient({ url: `${person.url}/graphql`, accessToken: () => person.accessToken, ...options });
  vi.unstubAllGlobals();
  return { ...client, [Symbol.dispose]: client.close };
}

function record() {
  const events: ConversationEvent[] = [];
  const statuses: string[] = [];
  const problems: RookeryProblem[] = [];
  return {
    events,
    statuses,
    problems,
    onEvent: (event) => events.push(event),
    onStatus(status, problem) {
      statuses.push(status);
      if (problem !== null) problems.push(problem);
    },
  } satisfies FollowOptions & Record<string, unknown>;
}

/** An independent check of one conversation: each event joins on to the one before. Signals, as of presence, stand outside of the chain. */
function expectUnbroken(events: readonly ConversationEvent[], from = events[0]?.previousSequence ?? 0): void {
  let position = from;
  for (const { __typename, previousSequence, sequence } of events) {
    const isSignal = ['TypingChanged', 'ReadMoved', 'PresenceChanged'].includes(__typename);
    const expected = isSignal ? { previousSequence: null, sequence: null } : { previousSequence: position, sequence: expect.any(Number) };
    expect({ previousSequence, sequence }).toEqual(expected);
    position = sequence ?? position;
  }
}

function bodiesOf(events: readonly ConversationEvent[]): readonly (string | null)[] {
  return events.flatMap((event) => (event.__typename === 'MessageSent' ? [event.message.body] : []));
}

/** A WebSocket that lets some of what it receives vanish, each text at most once unless `isLost` says so again. */
function losing(isLost: (text: string, socket: WebSocket) => boolean) {
  const lost = new Set<string>();
  return class extends WebSocket {
    override set onmessage(handle: ((event: Heard) => void) | null) {
      this.addEventListener('message', (event: Heard) => {
        const text = String(event.data);
        const isAnswer = text.includes('"answer"');
        if (isLost(text, this) && (isAnswer || !lost.has('event'))) lost.add('event');
        else handle?.(event);
      });
    }
  };
}

/** As an app keeps its session: a refused token is replaced by a fresh one. */
function sessionOf(person: Person) {
  let { accessToken, refreshToken } = person;
  const refused: string[] = [];
  async function refresh(): Promise<void> {
    const { body } = await post<{ refreshSession: { accessToken: string; refreshToken: string } }>(
      person.url,
      'mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken refreshToken } }',
      { variables: { input: { refreshToken } } },
    );
    if (!body.data) throw new Error(`Must refresh, got ${JSON.stringify(body.errors)}`);
    ({ accessToken, refreshToken } = body.data.refreshSession);
  }
  return {
    refused,
    refresh,
    async accessToken(token: string | null): Promise<string> {
      if (token !== null) refused.push(token);
      if (token === accessToken) await refresh();
      return accessToken;
    },
  };
}
