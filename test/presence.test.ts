import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Clock } from '../src/platform/clock.ts';
import { EventReader } from './kit/http.ts';
import { EVENT_FIELDS, type Following, type Person, type SignalAnswer } from './kit/person.ts';
import { deleteAll, openTestRedis } from './kit/redis.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import { until } from './kit/until.ts';
import type { SocketClient } from './kit/ws-client.ts';

const LONG_MS = 600_000;
const SET_TYPING = 'mutation ($input: SetTypingInput!) { setTyping(input: $input) { conversation { id } } }';
const SET_PRESENCE = 'mutation ($input: SetPresenceInput!) { setPresence(input: $input) { user { presence } } }';
const OUTSIDE = { sequence: null, previousSequence: null, cursor: null };

/** For this server no time passes, so its hub is never behind with its checks, however slow the machine: signals never wait. */
const CLOCK: Clock = { now: Date.now, monotonic: () => 0 };

/** Typing that nothing but a word ends, and presence that outlasts every drop. */
let server: TestServer;
/** Where both end in a moment. */
let hasty: TestServer;
beforeAll(async () => {
  server = await startTestServer({ clock: CLOCK, presenceTimes: { typingMs: LONG_MS, graceMs: LONG_MS } });
  hasty = await startTestServer({ presenceTimes: { typingMs: 300, repeatMs: 50, graceMs: 50, sweepMs: 50 } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await hasty[Symbol.asyncDispose]();
});

async function typeOn(socket: SocketClient, conversationId: string, isTyping = true): Promise<void> {
  const { errors } = await socket.run(SET_TYPING, { input: { conversationId, isTyping } });
  expect(errors).toBeUndefined();
}

async function sayOn(socket: SocketClient, presence: string): Promise<void> {
  const { errors } = await socket.run(SET_PRESENCE, { input: { presence } });
  expect(errors).toBeUndefined();
}

/** The signals of a type that came before a message which is sent now. */
async function signalsSoFar(following: Following, writer: Person, conversationId: string, typename: string) {
  await writer.send(conversationId, 'a mark');
  const { signals } = await following.signalsUntilNext();
  return signals.filter(({ __typename }) => __typename === typename);
}

async function presenceOf(viewer: Person, person: Person): Promise<string> {
  const { node } = await viewer.ask<{ node: { presence: string } }>('query ($id: ID!) { node(id: $id) { ... on User { presence } } }', {
    id: person.id,
  });
  return node.presence;
}

const seen = (viewer: Person, person: Person, presence: string) =>
  until(
    () => presenceOf(viewer, person),
    (now) => now === presence,
  );

describe('typing', () => {
  test('is told to the other members, over every stream, outside the chain', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await using one = await ben.follow(id);
    await using all = await ben.followAll();
    await using own = await ada.followAll();
    expect(await ada.setTyping(id)).toEqual({ setTyping: { conversation: { id } } });
    for (const following of [one, all, own]) {
      const told = await following.signal('TypingChanged');
      expect(told).toMatchObject({ ...OUTSIDE, conversationId: id, user: { id: ada.id }, isTyping: true });
    }
    await ada.setTyping(id, false);
    for (const following of [one, all, own]) expect((await following.signal('TypingChanged')).isTyping).toBe(false);
    await ada.send(id, 'and the chain goes on');
    const event = await one.next();
    expect(event.sequence).toBe((event.previousSequence ?? 0) + 1);
  });

  test('comes as a server-sent event without an id, so that a reconnect goes on after the last durable one', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const query = `subscription ($id: ID!) { events: conversationEvents(conversationId: $id) { ${EVENT_FIELDS} } }`;
    await using reader = await EventReader.open(server.url, query, { variables: { id }, accessToken: ben.accessToken });
    expect((await reader.next())?.id).not.toBeNull();
    await ada.setTyping(id);
    const told = await untilSignal(reader, 'TypingChanged');
    expect(told.id).toBeNull();
    expect(told.data?.data).toMatchObject({ events: { user: { id: ada.id }, isTyping: true } });
  });

  test('repeats are told to nobody', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await using following = await ben.follow(id);
    for (let round = 0; round < 5; round += 1) await ada.setTyping(id);
    expect((await signalsSoFar(following, ben, id, 'TypingChanged')).map(({ isTyping }) => isTyping)).toEqual([true]);
    for (let round = 0; round < 5; round += 1) await ada.setTyping(id, false);
    expect((await signalsSoFar(following, ben, id, 'TypingChanged')).map(({ isTyping }) => isTyping)).toEqual([false]);
  });

  test('a person types while any of their devices does', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await using following = await ben.follow(id);
    await using laptop = await ada.connect();
    await using phone = await ada.connect();
    await typeOn(laptop, id);
    await typeOn(phone, id);
    await typeOn(laptop, id, false);
    expect((await signalsSoFar(following, ben, id, 'TypingChanged')).map(({ isTyping }) => isTyping)).toEqual([true]);
    await typeOn(phone, id, false);
    expect((await following.signal('TypingChanged')).isTyping).toBe(false);
  });

  test('ends by itself after the last signal', async () => {
    const [ada, ben] = await hasty.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await using following = await ben.follow(id);
    await ada.setTyping(id);
    expect((await following.signal('TypingChanged')).isTyping).toBe(true);
    expect((await following.signal('TypingChanged')).isTyping).toBe(false);
  });

  test('ends when the message is sent, and begins anew after it', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await using following = await ben.follow(id);
    await ada.setTyping(id);
    expect((await following.signal('TypingChanged')).isTyping).toBe(true);
    await ada.send(id, 'what she typed');
    expect((await following.next()).message?.body).toBe('what she typed');
    expect((await following.signal('TypingChanged')).isTyping).toBe(false);
    await ada.setTyping(id);
    expect((await following.signal('TypingChanged')).isTyping).toBe(true);
  });

  test('a stream that begins is told who is typing', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ members: [ben, cy] });
    await using first = await cy.follow(id);
    await ada.setTyping(id);
    await first.signal('TypingChanged');
    await using one = await ben.follow(id);
    await using all = await ben.followAll();
    for (const following of [one, all]) {
      const told = await following.signal('TypingChanged');
      expect(told).toMatchObject({ user: { id: ada.id }, isTyping: true });
    }
  });

  test('of who leaves ends', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ members: [ben, cy] });
    await using following = await ben.follow(id);
    await cy.setTyping(id);
    expect((await following.signal('TypingChanged')).isTyping).toBe(true);
    await cy.leave(id);
    expect((await following.next()).__typename).toBe('MemberChanged');
    expect((await following.signal('TypingChanged')).isTyping).toBe(false);
  });

  test.each(['DIRECT', 'GROUP', 'CHANNEL'])('is for members of a %s alone: others hear nothing, and may say nothing', async (kind) => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ kind, members: [ben] });
    const { id: elsewhere } = await cy.create();
    await using inside = await ben.followAll();
    await using outside = await cy.followAll();
    const { extensions } = await cy.refused(SET_TYPING, { input: { conversationId: id, isTyping: true } });
    expect(extensions['code']).toBe('NOT_FOUND');
    await ada.setTyping(id);
    expect((await inside.signal('TypingChanged')).user?.id).toBe(ada.id);
    expect(await signalsSoFar(outside, cy, elsewhere, 'TypingChanged')).toEqual([]);
  });

  test('who was removed hears no more of it', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const [{ id }, { id: elsewhere }] = await Promise.all([ada.create({ members: [ben, cy] }), ben.create()]);
    await using removed = await ben.followAll();
    await using member = await cy.follow(id);
    await ada.remove(id, ben);
    await ada.setTyping(id);
    await member.next();
    await member.signal('TypingChanged');
    expect((await removed.next()).memberChange).toBe('REMOVED');
    expect(await signalsSoFar(removed, ben, elsewhere, 'TypingChanged')).toEqual([]);
    expect((await ben.refused(SET_TYPING, { input: { conversationId: id, isTyping: true } })).extensions['code']).toBe('NOT_FOUND');
  });
});

describe('read positions', () => {
  test.each(['DIRECT', 'GROUP'])('are told to all members of a %s, when they move back too', async (kind) => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ kind, members: [ben] });
    for (const body of ['one', 'two', 'three']) await ada.send(id, body);
    await using one = await ada.follow(id);
    await using all = await ada.followAll();
    await using own = await ben.followAll();
    await ben.markRead(id, 3);
    await ben.markRead(id, 2); // Changes nothing.
    await ben.markRead(id, 1, true);
    for (const following of [one, all, own]) {
      const told = await signalsOf(following, 2);
      expect(told.map(({ position }) => position)).toEqual([3, 1]);
      expect(told[0]).toMatchObject({ ...OUTSIDE, conversationId: id, user: { id: ben.id } });
    }
  });

  test('in a CHANNEL are told to the devices of the reader alone', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ kind: 'CHANNEL', title: 'News', members: [ben] });
    await ada.send(id, 'one');
    await using other = await ada.follow(id);
    await using device = await ben.follow(id);
    await using everything = await ben.followAll();
    await ben.markRead(id, 1);
    for (const following of [device, everything]) expect((await following.signal('ReadMoved')).position).toBe(1);
    expect(await signalsSoFar(other, ada, id, 'ReadMoved')).toEqual([]);
  });
});

describe('presence', () => {
  test('a socket makes its person ONLINE: told once in viewerEvents, and in each conversation', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const [{ id }] = await Promise.all([ada.create({ members: [ben] }), ada.create({ kind: 'DIRECT', members: [ben] })]);
    await using all = await ada.followAll();
    await using one = await ada.follow(id);
    expect(await presenceOf(ada, ben)).toBe('OFFLINE');
    await using _laptop = await ben.connect();
    const told = await signalAbout(all, ben);
    expect(told).toMatchObject({ ...OUTSIDE, conversationId: null, presence: 'ONLINE' });
    expect(await signalAbout(one, ben)).toMatchObject({ conversationId: id, presence: 'ONLINE' });
    await using _phone = await ben.connect();
    expect(await presenceOf(ada, ben)).toBe('ONLINE');
    expect((await signalsSoFar(all, ada, id, 'PresenceChanged')).filter(({ user }) => user?.id === ben.id)).toEqual([]);
  });

  test('an event stream does as well', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    await ada.create({ members: [ben] });
    await using _stream = await EventReader.open(server.url, 'subscription { viewerEvents { __typename } }', {
      accessToken: ben.accessToken,
    });
    await seen(ada, ben, 'ONLINE');
  });

  test('AWAY is said per socket, and only all together make it so', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    await ada.create({ kind: 'DIRECT', members: [ben] });
    await using all = await ada.followAll();
    await using laptop = await ben.connect();
    await using phone = await ben.connect();
    await seen(ada, ben, 'ONLINE');
    await sayOn(laptop, 'AWAY');
    expect(await presenceOf(ada, ben)).toBe('ONLINE');
    const { data } = await phone.run(SET_PRESENCE, { input: { presence: 'AWAY' } });
    expect(data).toEqual({ setPresence: { user: { presence: 'AWAY' } } });
    expect(await presenceOf(ada, ben)).toBe('AWAY');
    await sayOn(laptop, 'ONLINE');
    const told: (string | undefined)[] = [];
    while (told.length < 3) told.push((await signalAbout(all, ben)).presence);
    expect(told).toEqual(['ONLINE', 'AWAY', 'ONLINE']);
  });

  test('over HTTP it is said for the session: its sockets and streams, those opened later too', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    await ada.create({ members: [ben] });
    await using laptop = await ben.connect();
    await seen(ada, ben, 'ONLINE');
    expect(await ben.setPresence('AWAY')).toEqual({ setPresence: { user: { presence: 'AWAY' } } });
    await using _phone = await ben.connect();
    expect(await presenceOf(ada, ben)).toBe('AWAY');
    await sayOn(laptop, 'ONLINE');
    expect(await presenceOf(ada, ben)).toBe('ONLINE');
  });

  test('OFFLINE is nothing one says', async () => {
    const [ben] = await server.people('ben');
    await using laptop = await ben.connect();
    const fault = await ben.refused(SET_PRESENCE, { input: { presence: 'OFFLINE' } });
    expect(fault.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.presence' });
    expect(fault.message).toContain('ONLINE or AWAY, got OFFLINE');
    const { errors } = await laptop.run(SET_PRESENCE, { input: { presence: 'OFFLINE' } });
    expect(errors?.[0]?.extensions['code']).toBe('BAD_USER_INPUT');
    expect(await presenceOf(ben, ben)).toBe('ONLINE');
  });

  test('a reconnect is silent', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await using all = await ada.followAll();
    const first = await ben.connect();
    await signalAbout(all, ben);
    await first[Symbol.asyncDispose]();
    await using _second = await ben.connect();
    expect(await presenceOf(ada, ben)).toBe('ONLINE');
    expect((await signalsSoFar(all, ada, id, 'PresenceChanged')).filter(({ user }) => user?.id === ben.id)).toEqual([]);
  });

  test('who does not come back is told to be OFFLINE', async () => {
    const [ada, ben] = await hasty.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await using one = await ada.follow(id);
    const laptop = await ben.connect();
    expect((await signalAbout(one, ben)).presence).toBe('ONLINE');
    await laptop[Symbol.asyncDispose]();
    expect((await signalAbout(one, ben)).presence).toBe('OFFLINE');
    expect(await presenceOf(ada, ben)).toBe('OFFLINE');
  });

  test('is shown to who shares a conversation, of whatever kind, and to nobody else', async () => {
    const [ada, ben, cy, dee] = await server.people('ada', 'ben', 'cy', 'dee');
    const [{ id }] = await Promise.all([ada.create({ members: [ben] }), ada.create({ kind: 'CHANNEL', title: 'News', members: [cy] })]);
    await using _laptop = await ada.connect();
    await seen(ben, ada, 'ONLINE');
    expect(await presenceOf(cy, ada)).toBe('ONLINE');
    expect(await presenceOf(ada, ada)).toBe('ONLINE');
    expect(await presenceOf(dee, ada)).toBe('OFFLINE');
    await ada.remove(id, ben);
    expect(await presenceOf(ben, ada)).toBe('OFFLINE');
  });

  test('is not told in CHANNELs, to outsiders or to who was removed', async () => {
    const [ada, ben, cy, dee] = await server.people('ada', 'ben', 'cy', 'dee');
    const [{ id }, channel, ofDee, ofCy] = await Promise.all([
      ada.create({ members: [ben, cy] }),
      ada.create({ kind: 'CHANNEL', title: 'News', members: [dee] }),
      dee.create(),
      cy.create(),
    ]);
    await using inChannel = await dee.followAll();
    await using removed = await cy.followAll();
    await using member = await ben.followAll();
    await ada.remove(id, cy);
    expect((await removed.next()).memberChange).toBe('REMOVED');
    await using _laptop = await ada.connect();
    await member.next();
    await signalAbout(member, ada);
    const told = [
      ...(await signalsSoFar(inChannel, dee, ofDee.id, 'PresenceChanged')),
      ...(await signalsSoFar(inChannel, ada, channel.id, 'PresenceChanged')),
      ...(await signalsSoFar(removed, cy, ofCy.id, 'PresenceChanged')),
    ];
    expect(told.filter(({ user }) => user?.id === ada.id)).toEqual([]);
  });

  test('nobody is present by a socket without a token, or by a single answer', async () => {
    const [ben] = await hasty.people('ben');
    const { SocketClient: client } = await import('./kit/ws-client.ts');
    await using _nobody = await client.open(hasty.url);
    await using _answer = await EventReader.open(hasty.url, '{ viewer { id } }', { accessToken: ben.accessToken });
    expect(await presenceOf(ben, ben)).toBe('OFFLINE');
  });
});

test('two servers that share a Redis and a database see who is present on the other', async (context) => {
  await using redis = await openTestRedis();
  if (redis === null) return context.skip();
  const config = { secret: 'the same for both servers, of course', redisUrl: redis.url };
  const presenceTimes = { graceMs: 50, sweepMs: 50 };
  await using stack = new AsyncDisposableStack();
  await using one = await startTestServer({ config, presenceTimes });
  const prefix = await one.redisPrefix();
  stack.defer(() => deleteAll(redis.client, prefix)); // Once both have stopped.
  await using other = await startTestServer({ config, presenceTimes, database: one.database });
  const [ada, ben] = await one.people('ada', 'ben');
  await ada.create({ members: [ben] });
  const there = ben.at(other.url);
  const laptop = await there.connect();
  await seen(ada, ben, 'ONLINE');
  await ben.setPresence('AWAY'); // By this server, for a socket of that one.
  await seen(there, ben, 'AWAY');
  await laptop[Symbol.asyncDispose]();
  await seen(ada, ben, 'OFFLINE');
});

test('a server that is killed leaves nobody present: another notices, and tells', async (context) => {
  await using redis = await openTestRedis();
  if (redis === null) return context.skip();
  const config = { secret: 'the same for both servers, of course', redisUrl: redis.url };
  await using stack = new AsyncDisposableStack();
  await using alive = await startTestServer({ config, presenceTimes: { sweepMs: 50, heartbeatMs: 50 } });
  const prefix = await alive.redisPrefix();
  stack.defer(() => deleteAll(redis.client, prefix)); // Once both have stopped.
  // As if killed: it never says again that its sockets are there, and looks after nothing.
  const silent = { heldMs: 500, heartbeatMs: LONG_MS, sweepMs: LONG_MS };
  await using killed = await startTestServer({ config, presenceTimes: silent, database: alive.database });
  const [ada, ben] = await alive.people('ada', 'ben');
  await ada.create({ members: [ben] });
  await using following = await ada.followAll();
  await using _laptop = await ben.at(killed.url).connect();
  expect((await signalAbout(following, ben)).presence).toBe('ONLINE');
  expect((await signalAbout(following, ben)).presence).toBe('OFFLINE');
  expect(await presenceOf(ada, ben)).toBe('OFFLINE');
});

/** The next change of this person's presence; others' may come before it. */
async function signalAbout(following: Following, person: Person): Promise<SignalAnswer> {
  for (;;) {
    const told = await following.signal('PresenceChanged');
    if (told.user?.id === person.id) return told;
  }
}

async function signalsOf(following: Following, count: number): Promise<readonly SignalAnswer[]> {
  const told: SignalAnswer[] = [];
  while (told.length < count) told.push(await following.signal('ReadMoved'));
  return told;
}

async function untilSignal(reader: EventReader, typename: string) {
  for (;;) {
    const event = await reader.next();
    if (event === null) throw new Error('The stream must go on.');
    if (event.data?.data?.['events'] !== undefined && JSON.stringify(event.data.data['events']).includes(`"${typename}"`)) return event;
  }
}
