import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const ADD = 'mutation ($input: AddReactionInput!) { addReaction(input: $input) { message { id } cursor } }';

type Reacted = {
  readonly viewerReactions: readonly string[];
  readonly reactions: readonly {
    readonly emoji: string;
    readonly count: number;
    readonly users: { readonly nodes: readonly { readonly handle: string }[] };
  }[];
};

async function reacted(person: Person, id: string): Promise<Reacted> {
  const { node } = await person.ask<{ node: Reacted }>(
    'query ($id: ID!) { node(id: $id) { ... on Message { viewerReactions reactions { emoji count users { nodes { handle } } } } } }',
    { id },
  );
  return node;
}

const short = ({ reactions }: Reacted) =>
  reactions.map(({ emoji, count, users }) => [emoji, count, ...users.nodes.map(({ handle }) => handle)]);

describe('reactions', () => {
  test('are grouped by emoji in the order of their first, with who reacted and what I did myself', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ members: [ben, cy] });
    const message = await ada.send(id, 'text');
    expect(await reacted(ada, message.id)).toEqual({ viewerReactions: [], reactions: [] });
    await ben.react(message.id, '👍');
    await cy.react(message.id, '🎉');
    await cy.react(message.id, '👍');
    await ada.react(message.id, ':shipit:');
    await ben.react(message.id, '👍');
    const expected = [
      ['👍', 2, ben.handle, cy.handle],
      ['🎉', 1, cy.handle],
      [':shipit:', 1, ada.handle],
    ];
    expect(short(await reacted(cy, message.id))).toEqual(expected);
    expect((await reacted(cy, message.id)).viewerReactions).toEqual(['🎉', '👍']);
    await ben.unreact(message.id, '👍');
    await ben.unreact(message.id, '👍');
    await cy.unreact(message.id, '🎉');
    expect(short(await reacted(ben, message.id))).toEqual([
      ['👍', 1, cy.handle],
      [':shipit:', 1, ada.handle],
    ]);
    expect((await reacted(ben, message.id)).viewerReactions).toEqual([]);
  });

  test('list those who reacted page by page', async () => {
    const crew = await server.people('ada', 'ben', 'cy', 'dee', 'eve');
    const [ada] = crew;
    const { id } = await ada.create({ members: crew.slice(1) });
    const message = await ada.send(id, 'text');
    for (const person of crew) await person.react(message.id, '👀');
    const query = `query ($id: ID!, $after: Cursor) { node(id: $id) { ... on Message { reactions {
      users(first: 2, after: $after) { edges { cursor node { handle } } pageInfo { hasNextPage hasPreviousPage endCursor } } } } } }`;
    type Answer = {
      node: { reactions: [{ users: { edges: { node: { handle: string } }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } }] };
    };
    const found: string[] = [];
    let after: string | undefined;
    for (let pages = 0; pages < 3; pages += 1) {
      const { users } = (await ada.ask<Answer>(query, { id: message.id, after })).node.reactions[0];
      found.push(...users.edges.map(({ node }) => node.handle));
      expect(users.pageInfo).toMatchObject({ hasNextPage: pages < 2, hasPreviousPage: pages > 0 });
      after = users.pageInfo.endCursor;
    }
    expect(found).toEqual(crew.map(({ handle }) => handle));
    const other = await ada.send(id, 'other');
    await ada.react(other.id, '👀');
    expect((await ada.refused(query, { id: other.id, after })).extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'after' });
  });

  test('are an event each, live; on replay one for the message, and of several kinds when there were', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const message = await ada.send(id, 'text');
    const other = await ada.send(id, 'other');
    await using live = await ben.follow(id);
    await ben.react(message.id, '👍');
    await ada.react(message.id, '👍');
    await ada.unreact(message.id, '👍');
    await ada.react(other.id, '👍');
    await ada.edit(other.id, 'edited');
    const events = await live.take(5);
    expect(events.map(({ __typename, messageChange }) => [__typename, messageChange])).toEqual([
      ['MessageChanged', 'REACTIONS'],
      ['MessageChanged', 'REACTIONS'],
      ['MessageChanged', 'REACTIONS'],
      ['MessageChanged', 'REACTIONS'],
      ['MessageChanged', 'EDITED'],
    ]);
    await ben.react(message.id, '👀');
    await using replay = await ben.follow(id, message.cursor);
    const replayed = (await replay.untilCaughtUp()).map(({ __typename, messageChange, message: found }) => [
      __typename,
      messageChange,
      found?.body,
    ]);
    expect(replayed).toEqual([
      ['MessageSent', undefined, 'edited'],
      ['MessageChanged', 'REACTIONS', 'text'],
      ['CaughtUp', undefined, undefined],
    ]);
    await using later = await ben.follow(id, other.cursor);
    const several = await later.untilCaughtUp();
    expect(several.map(({ messageChange }) => messageChange)).toEqual(['SEVERAL', 'REACTIONS', undefined]);
  });

  test('that two people give at the same moment both count', async () => {
    const crew = await server.people('ada', 'ben', 'cy', 'dee', 'eve', 'fay');
    const [ada] = crew;
    const { id } = await ada.create({ members: crew.slice(1) });
    const message = await ada.send(id, 'text');
    await Promise.all(crew.flatMap((person) => ['👍', '🎉', '👍'].map((emoji) => person.react(message.id, emoji))));
    expect((await reacted(ada, message.id)).reactions.map(({ emoji, count, users }) => [emoji, count, users.nodes.length]).sort()).toEqual(
      [
        ['🎉', 6, 6],
        ['👍', 6, 6],
      ].sort(),
    );
  });

  test('go with a deleted message, to which nobody reacts any more', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const message = await ada.send(id, 'text');
    await ben.react(message.id, '👍');
    await ada.delete(message.id);
    expect(await reacted(ben, message.id)).toEqual({ viewerReactions: [], reactions: [] });
    expect((await ben.refused(ADD, { input: { messageId: message.id, emoji: '👍' } })).extensions['code']).toBe('CONFLICT');
  });

  test('are given and seen by members only', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ kind: 'CHANNEL', members: [ben] });
    const message = await ada.send(id, 'text');
    await ben.react(message.id, '👍');
    await ben.leave(id);
    for (const person of [ben, cy]) {
      const { extensions } = await person.refused(ADD, { input: { messageId: message.id, emoji: '👍' } });
      expect(extensions['code']).toBe('NOT_FOUND');
      expect(await person.ask('query ($id: ID!) { node(id: $id) { id } }', { id: message.id })).toEqual({ node: null });
    }
    expect(short(await reacted(ada, message.id))).toEqual([['👍', 1, ben.handle]]);
  });

  test('are bounded: at most 20 different on a message, but those by as many as like', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const message = await ada.send(id, 'text');
    for (let index = 0; index < 20; index += 1) await ada.react(message.id, `:emoji_${index}:`);
    const { extensions, message: text } = await ben.refused(ADD, { input: { messageId: message.id, emoji: '👍' } });
    expect([extensions, text]).toMatchObject([{ code: 'BAD_USER_INPUT', field: 'input.emoji' }, expect.stringContaining('20')]);
    await ben.react(message.id, ':emoji_7:');
    expect((await reacted(ben, message.id)).reactions).toHaveLength(20);
  });

  test.each(['', ' ', 'a', '👍👍', '👍 ', ':Not A Name:', ':x', '\u0000', '\ud83d', '👨‍👩‍👧‍👦👨‍👩‍👧‍👦', 'x'.repeat(10_000)])(
    'refuse what is no emoji: %j',
    async (emoji) => {
      const [ada] = await server.people('ada');
      const { id } = await ada.create();
      const message = await ada.send(id, 'text');
      const { extensions } = await ada.refused(ADD, { input: { messageId: message.id, emoji } });
      expect(extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.emoji' });
      expect(await reacted(ada, message.id)).toEqual({ viewerReactions: [], reactions: [] });
    },
  );

  test.each(['👍', '👍🏽', '❤️', '❤', '🏳️‍🌈', '🇨🇭', '1️⃣', ':party_parrot:', '🧑‍🚀'])('take %s', async (emoji) => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const message = await ada.send(id, 'text');
    await ada.react(message.id, emoji);
    expect(short(await reacted(ada, message.id))).toEqual([[emoji, 1, ada.handle]]);
  });
});
