import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Page = {
  readonly nodes: readonly { readonly id: string; readonly body: string | null }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly endCursor: string;
    readonly startCursor: string;
  };
};
const PAGE = 'nodes { id body } pageInfo { hasNextPage hasPreviousPage endCursor startCursor }';

async function list(person: Person, id: string, filter?: object, page: object = { last: 100 }): Promise<Page> {
  const { conversation } = await person.ask<{ conversation: { messages: Page } }>(
    `query ($id: ID!, $filter: MessageFilter, $first: Int, $after: Cursor, $last: Int, $before: Cursor, $around: ID, $aroundSize: Int) {
      conversation(id: $id) {
        messages(filter: $filter, first: $first, after: $after, last: $last, before: $before, around: $around, aroundSize: $aroundSize) { ${PAGE} }
      }
    }`,
    { id, filter, ...page },
  );
  return conversation.messages;
}

const bodies = ({ nodes }: Page) => nodes.map(({ body }) => body);

type Root = { readonly replyCount: number; readonly replies: Page; readonly threadRoot: { readonly id: string } | null };

async function root(person: Person, id: string, first = 100, after?: string): Promise<Root> {
  const { node } = await person.ask<{ node: Root }>(
    `query ($id: ID!, $first: Int!, $after: Cursor) {
      node(id: $id) { ... on Message { replyCount threadRoot { id } replies(first: $first, after: $after) { ${PAGE} } } }
    }`,
    { id, first, after },
  );
  return node;
}

describe('a thread', () => {
  test('stands in the replies of its root and under the filter, not among the messages of the conversation', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const first = await ada.send(id, 'root');
    const replies = [await ben.reply(id, first.id, 'one'), await ada.reply(id, first.id, 'two')];
    await ada.send(id, 'after');
    expect(bodies(await list(ben, id))).toEqual(['root', 'after']);
    expect(bodies(await list(ben, id, { threadRootId: first.id }))).toEqual(['one', 'two']);
    const found = await root(ben, first.id);
    expect([found.replyCount, bodies(found.replies), found.threadRoot]).toEqual([2, ['one', 'two'], null]);
    expect((await root(ben, replies[0]?.id ?? '')).threadRoot).toEqual({ id: first.id });
    // They have their places among all messages, and the newest that is shown for the conversation is in none.
    expect(replies.map(({ position }) => position)).toEqual([2, 3]);
    const { conversation } = await ben.ask<{ conversation: object }>(
      'query ($id: ID!) { conversation(id: $id) { messageCount lastMessage { body } } }',
      { id },
    );
    expect(conversation).toEqual({ messageCount: 4, lastMessage: { body: 'after' } });
  });

  test('is paged in both directions, with what lies on either side', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const { id: threadRootId } = await ada.send(id, 'root');
    for (let index = 1; index <= 5; index += 1) {
      await ada.reply(id, threadRootId, `reply ${index}`);
      await ada.send(id, `between ${index}`);
    }
    const first = (await root(ada, threadRootId, 2)).replies;
    expect([bodies(first), first.pageInfo]).toMatchObject([['reply 1', 'reply 2'], { hasNextPage: true, hasPreviousPage: false }]);
    const next = (await root(ada, threadRootId, 3, first.pageInfo.endCursor)).replies;
    expect([bodies(next), next.pageInfo]).toMatchObject([['reply 3', 'reply 4', 'reply 5'], { hasNextPage: false, hasPreviousPage: true }]);
    const back = await list(ada, id, { threadRootId }, { last: 2, before: next.pageInfo.startCursor });
    expect([bodies(back), back.pageInfo]).toMatchObject([['reply 1', 'reply 2'], { hasNextPage: true, hasPreviousPage: false }]);
    const around = await list(ada, id, { threadRootId }, { around: next.nodes[0]?.id, aroundSize: 3 });
    expect([bodies(around), around.pageInfo]).toMatchObject([
      ['reply 2', 'reply 3', 'reply 4'],
      { hasNextPage: true, hasPreviousPage: true },
    ]);
    const main = await list(ada, id, undefined, { first: 3 });
    expect([bodies(main), main.pageInfo]).toMatchObject([
      ['root', 'between 1', 'between 2'],
      { hasNextPage: true, hasPreviousPage: false },
    ]);
  });

  test('refuses cursors and anchors of another list', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const first = await ada.send(id, 'root');
    const reply = await ada.reply(id, first.id, 'reply');
    const { endCursor } = (await list(ada, id)).pageInfo;
    const query =
      'query ($id: ID!, $filter: MessageFilter, $after: Cursor, $around: ID) { conversation(id: $id) { messages(filter: $filter, after: $after, around: $around) { nodes { id } } } }';
    for (const [variables, field] of [
      [{ filter: { threadRootId: first.id }, after: endCursor }, 'after'],
      [{ around: reply.id }, 'around'],
      [{ filter: { threadRootId: first.id }, around: first.id }, 'around'],
      [{ filter: { threadRootId: id } }, 'filter.threadRootId'],
      [{ filter: { threadRootId: (await ada.send((await ada.create()).id, 'elsewhere')).id } }, 'filter.threadRootId'],
    ] as const) {
      expect((await ada.refused(query, { id, ...variables })).extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
    }
  });

  test('is begun by messages of the same conversation that are in no thread, and by no others', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const other = await ada.create();
    const first = await ada.send(id, 'root');
    const reply = await ada.reply(id, first.id, 'reply');
    const elsewhere = await ada.send(other.id, 'elsewhere');
    const query = 'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }';
    const input = { conversationId: id, clientMessageId: 'key', body: 'text' };
    for (const threadRootId of [reply.id, elsewhere.id, `${first.id.slice(0, -1)}zz`, id, 'nonsense']) {
      const { extensions } = await ada.refused(query, { input: { ...input, threadRootId } });
      expect(extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.threadRootId' });
    }
    // The same key elsewhere in the conversation is other content.
    await ada.ask(query, { input });
    expect((await ada.refused(query, { input: { ...input, threadRootId: first.id } })).extensions['code']).toBe('CONFLICT');
    expect((await root(ada, first.id)).replyCount).toBe(1);
  });

  test('is closed to strangers and to those who left', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ members: [ben] });
    const first = await ada.send(id, 'root');
    await ben.leave(id);
    for (const person of [ben, cy]) {
      expect(await person.ask('query ($id: ID!) { node(id: $id) { id } }', { id: first.id })).toEqual({ node: null });
      await expect(person.reply(id, first.id, 'may I?')).rejects.toThrow('NOT_FOUND');
    }
  });

  test('counts replies that are written at once, and no deleted ones', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const first = await ada.send(id, 'root');
    const second = await ada.send(id, 'another root');
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 ? ada : ben).reply(id, index % 4 ? first.id : second.id, `reply ${index}`)),
    );
    expect([(await root(ada, first.id)).replyCount, (await root(ada, second.id)).replyCount]).toEqual([30, 10]);
    const { nodes } = (await root(ada, second.id)).replies;
    const mine = nodes.find(({ body }) => body === 'reply 0') ?? nodes[0];
    await ada.delete(mine?.id ?? '');
    await ada.delete(mine?.id ?? '');
    const found = await root(ada, second.id);
    expect([found.replyCount, found.replies.nodes.length]).toEqual([9, 10]);
  });

  test('is told by events of its messages, each with its root, live and on replay', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id, cursor } = await ada.create({ members: [ben] });
    const first = await ada.send(id, 'root');
    const FOLLOW = `subscription ($id: ID!, $after: EventCursor) { conversationEvents(conversationId: $id, after: $after) {
      __typename sequence previousSequence ... on MessageSent { message { body threadRoot { body replyCount } } messageEdge { cursor } }
    } }`;
    type Event = {
      data: {
        conversationEvents: { sequence: number; message?: { body: string; threadRoot: object | null }; messageEdge?: { cursor: string } };
      };
    };
    await using socket = await ben.connect();
    socket.subscribe('live', FOLLOW, { id });
    await socket.nextOf('live');
    await ada.reply(id, first.id, 'reply');
    const live = (await socket.nextOf<Event>('live')).data.conversationEvents;
    expect(live.message).toEqual({ body: 'reply', threadRoot: { body: 'root', replyCount: 1 } });
    // Its cursor is a place in the thread, which is where it stands.
    expect((await list(ben, id, { threadRootId: first.id }, { first: 1, after: live.messageEdge?.cursor })).nodes).toEqual([]);
    await using late = await ben.connect();
    late.subscribe('replay', FOLLOW, { id, after: cursor });
    await late.nextOf('replay');
    expect((await late.nextOf<Event>('replay')).data.conversationEvents).toEqual({ ...live });
  });

  test('moves no conversation up in the inbox', async () => {
    const [ada] = await server.people('ada');
    const older = await ada.create({ title: 'older' });
    const first = await ada.send(older.id, 'root');
    const newer = await ada.create({ title: 'newer' });
    await ada.send(newer.id, 'text');
    await ada.reply(older.id, first.id, 'reply');
    const { viewer } = await ada.ask<{ viewer: { conversations: { nodes: { title: string }[] } } }>(
      '{ viewer { conversations { nodes { title } } } }',
    );
    expect(viewer.conversations.nodes.map(({ title }) => title)).toEqual(['newer', 'older']);
  });
});
