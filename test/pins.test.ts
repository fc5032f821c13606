import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const PIN = 'mutation ($input: PinMessageInput!) { pinMessage(input: $input) { message { pinnedAt } cursor } }';

async function list(person: Person, id: string, filter: object, page: object = {}) {
  const { conversation } = await person.ask<{
    conversation: {
      messages: { nodes: { body: string; pinnedAt: string | null }[]; pageInfo: { startCursor: string; endCursor: string } };
    };
  }>(
    `query ($id: ID!, $filter: MessageFilter, $first: Int, $after: Cursor, $last: Int, $before: Cursor) { conversation(id: $id) {
      messages(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
        nodes { body pinnedAt } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`,
    { id, filter, ...page },
  );
  const { nodes, pageInfo } = conversation.messages;
  return { bodies: nodes.map(({ body }) => body), nodes, pageInfo };
}

describe('pinned messages', () => {
  test('are found by the filter, paged, in the list and in threads, and those that are not by its contrary', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const sent = [];
    for (let index = 1; index <= 5; index += 1) sent.push(await ada.send(id, `text ${index}`));
    const root = sent[1];
    if (root === undefined) throw new Error('There must be one.');
    const reply = await ben.reply(id, root.id, 'reply');
    for (const message of [sent[4], sent[0], sent[2], reply]) await ben.pin(message?.id ?? '');
    const all = await list(ada, id, { pinned: true });
    expect(all.bodies).toEqual(['text 1', 'text 3', 'text 5']);
    expect(all.nodes.every(({ pinnedAt }) => pinnedAt !== null)).toBe(true);
    expect((await list(ada, id, { pinned: false })).bodies).toEqual(['text 2', 'text 4']);
    expect((await list(ada, id, { pinned: true, threadRootId: root.id })).bodies).toEqual(['reply']);
    expect((await list(ada, id, { pinned: false, threadRootId: root.id })).bodies).toEqual([]);
    const first = await list(ada, id, { pinned: true }, { first: 2 });
    expect([first.bodies, first.pageInfo]).toMatchObject([['text 1', 'text 3'], { hasNextPage: true, hasPreviousPage: false }]);
    const next = await list(ada, id, { pinned: true }, { first: 2, after: first.pageInfo.endCursor });
    expect([next.bodies, next.pageInfo]).toMatchObject([['text 5'], { hasNextPage: false, hasPreviousPage: true }]);
    // What the cursor was of is pinned no more, nor is what came before: nothing stands before the page now.
    await ada.unpin(sent[0]?.id ?? '');
    await ada.unpin(sent[2]?.id ?? '');
    const moved = await list(ada, id, { pinned: true }, { first: 2, after: first.pageInfo.endCursor });
    expect([moved.bodies, moved.pageInfo]).toMatchObject([['text 5'], { hasNextPage: false, hasPreviousPage: false }]);
    const back = await list(ada, id, { pinned: true }, { last: 2, before: next.pageInfo.startCursor });
    expect([back.bodies, back.pageInfo]).toMatchObject([[], { hasNextPage: true, hasPreviousPage: false }]);
  });

  test('are an event each; pinning twice is one', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ kind: 'DIRECT', members: [ben] });
    const message = await ada.send(id, 'text');
    await using live = await ada.follow(id);
    await ben.pin(message.id);
    await ben.pin(message.id);
    await ben.unpin(message.id);
    await ben.send(id, 'the end');
    const events = await live.take(3);
    expect(events.map(({ __typename, messageChange }) => [__typename, messageChange])).toEqual([
      ['MessageChanged', 'PIN'],
      ['MessageChanged', 'PIN'],
      ['MessageSent', undefined],
    ]);
    await using replay = await ada.follow(id, message.cursor);
    expect((await replay.untilCaughtUp())[0]).toMatchObject({ __typename: 'MessageChanged', messageChange: 'PIN' });
  });

  test('are at most 100 in a conversation; a deleted one is pinned no more, and cannot be', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const sent = await Promise.all(Array.from({ length: 101 }, (_, index) => ada.send(id, `text ${index}`)));
    for (const message of sent.slice(0, 100)) await ada.pin(message.id);
    const last = sent[100]?.id ?? '';
    const { extensions, message } = await ada.refused(PIN, { input: { messageId: last } });
    expect([extensions, message]).toMatchObject([{ code: 'BAD_USER_INPUT', field: 'input.messageId' }, expect.stringContaining('100')]);
    const first = sent[0]?.id ?? '';
    await ada.delete(first);
    expect((await ada.refused(PIN, { input: { messageId: first } })).extensions['code']).toBe('CONFLICT');
    await ada.pin(last);
    expect((await list(ada, id, { pinned: true }, { first: 100 })).bodies).toHaveLength(100);
  });

  test('are pinned by members only', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ members: [ben] });
    const message = await ada.send(id, 'text');
    await ben.leave(id);
    for (const person of [ben, cy])
      expect((await person.refused(PIN, { input: { messageId: message.id } })).extensions['code']).toBe('NOT_FOUND');
    for (const messageId of [id, 'msg_', `${message.id}\u0000`])
      expect((await ada.refused(PIN, { input: { messageId } })).extensions).toMatchObject({
        code: 'BAD_USER_INPUT',
        field: 'input.messageId',
      });
  });
});
