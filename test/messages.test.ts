import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const SEND = 'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { id body position } cursor } }';
const MARK_READ =
  'mutation ($input: MarkReadInput!) { markRead(input: $input) { conversation { viewerReadPosition viewerUnreadCount } viewer { unreadConversationCount } } }';

type HistoryMessage = {
  readonly id: string;
  readonly position: number;
  readonly body: string | null;
  readonly author: { readonly handle: string };
};

async function history(person: Person, id: string) {
  const { conversation } = await person.ask<{
    conversation: { sequence: number; messageCount: number; messages: { nodes: readonly HistoryMessage[] } };
  }>(
    'query ($id: ID!) { conversation(id: $id) { sequence messageCount messages(first: 100) { nodes { id position body author { handle } } } } }',
    {
      id,
    },
  );
  return { ...conversation, messages: conversation.messages.nodes };
}

/** What the viewer has not read: in the conversation, and in how many conversations. */
async function unread(person: Person, id: string): Promise<readonly [number, number]> {
  const { conversation, viewer } = await person.ask<{
    conversation: { viewerUnreadCount: number };
    viewer: { unreadConversationCount: number };
  }>('query ($id: ID!) { conversation(id: $id) { viewerUnreadCount } viewer { unreadConversationCount } }', { id });
  return [conversation.viewerUnreadCount, viewer.unreadConversationCount];
}

async function markRead(person: Person, conversationId: string, position: number, allowMoveBack = false): Promise<number> {
  const { markRead: answer } = await person.ask<{ markRead: { conversation: { viewerReadPosition: number } } }>(MARK_READ, {
    input: { conversationId, position, allowMoveBack },
  });
  return answer.conversation.viewerReadPosition;
}

describe('sending under the same key', () => {
  test('answers the first message, also when it was edited or deleted since', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const first = await ada.send(id, 'as sent', 'key');
    expect(await ada.send(id, 'as sent', 'key')).toEqual(first);
    await ada.edit(first.id, 'as edited');
    expect(await ada.send(id, 'as sent', 'key')).toEqual({ ...first, body: 'as edited' });
    await ada.delete(first.id);
    expect(await ada.send(id, 'as sent', 'key')).toEqual({ ...first, body: null });
    expect((await history(ada, id)).messageCount).toBe(1);
  });

  test('is refused with other content, and free for others and elsewhere', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const other = await ada.create();
    const first = await ada.send(id, 'as sent', 'key');
    await ada.edit(first.id, 'as edited');
    for (const input of [{ body: 'as edited' }, { body: 'as sent', replyToId: first.id }]) {
      const error = await ada.refused(SEND, { input: { conversationId: id, clientMessageId: 'key', ...input } });
      expect(error.extensions['code']).toBe('CONFLICT');
    }
    expect((await ben.send(id, 'of Ben', 'key')).position).toBe(2);
    expect((await ada.send(other.id, 'elsewhere', 'key')).position).toBe(1);
  });

  test('fifty at once write one message, whether over HTTP or WebSocket', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    await using socket = await ada.connect();
    const input = { conversationId: id, clientMessageId: 'key', body: 'once' };
    const sent = Promise.all(Array.from({ length: 25 }, () => ada.send(id, 'once', 'key')));
    for (let index = 0; index < 25; index += 1) socket.subscribe(`send-${index}`, SEND, { input });
    const ids = new Set((await sent).map((message) => message.id));
    for (let left = 50; left > 0; left -= 1) {
      const { type, payload } = await socket.next();
      // A `next` of SEND, then.
      if (type === 'next') ids.add((payload as { data: { sendMessage: { message: { id: string } } } }).data.sendMessage.message.id);
    }
    expect(ids.size).toBe(1);
    expect(await history(ada, id)).toMatchObject({ messageCount: 1, sequence: 2 });
  });

  test('of the fifty with different content one is written, and the others are refused', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const attempts = Array.from({ length: 50 }, (_, index) => ada.send(id, `version ${index}`, 'key'));
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(String(outcome.reason)).toContain('CONFLICT');
    expect((await history(ada, id)).messageCount).toBe(1);
  });

  test('a removed member is refused, whatever they had sent', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await ben.send(id, 'mine', 'key');
    await ada.remove(id, ben);
    await expect(ben.send(id, 'mine', 'key')).rejects.toThrow('NOT_FOUND');
  });
});

describe('sending together', () => {
  test('many people into several conversations at once leaves no hole in any, and what is wrong fails alone', async () => {
    const [ada, ben, cy, dee] = await server.people('ada', 'ben', 'cy', 'dee');
    const conversations = await Promise.all([ada, ben, cy, ada].map((owner) => owner.create({ members: [ada, ben, cy] })));
    const authors = [ada, ben, cy];
    const sends = Array.from({ length: 200 }, (_, index) => {
      const conversation = conversations[index % conversations.length];
      const author = authors[Math.floor(index / 4) % authors.length];
      if (conversation === undefined || author === undefined) throw new Error('There must be both.');
      return author.send(conversation.id, `message ${index}`);
    });
    const outsider = conversations.map(({ id }) => dee.send(id, 'from outside'));
    const outcomes = await Promise.allSettled([...sends, ...outsider]);
    expect(outcomes.slice(0, 200).filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(outcomes.slice(200).map(({ status }) => status)).toEqual(conversations.map(() => 'rejected'));
    for (const conversation of conversations) {
      const { sequence, messageCount, messages } = await history(ada, conversation.id);
      expect([messageCount, sequence]).toEqual([50, conversation.sequence + 50]);
      expect(messages.map(({ position }) => position)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
      expect(new Set(messages.map(({ body }) => body)).size).toBe(50);
      await using following = await ben.follow(conversation.id, conversation.cursor);
      const events = await following.untilCaughtUp();
      expect(events.slice(0, -1).map((event) => event.sequence)).toEqual(messages.map((_, index) => conversation.sequence + index + 1));
    }
  });

  test('in one operation the fields run one after the other', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const field = (name: string) =>
      `${name}: sendMessage(input: { conversationId: $id, clientMessageId: "${name}", body: "${name}" }) { message { position } }`;
    expect(await ada.ask(`mutation ($id: ID!) { ${['c', 'a', 'b'].map(field).join(' ')} }`, { id })).toEqual({
      c: { message: { position: 1 } },
      a: { message: { position: 2 } },
      b: { message: { position: 3 } },
    });
  });
});

describe('replies', () => {
  test('show what they answer, also when it was edited or deleted since', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const question = await ada.send(id, 'question');
    const { id: answerId } = await ben.send(id, 'answer', undefined, question.id);
    const replyTo = async () =>
      (await ada.ask('query ($id: ID!) { node(id: $id) { ... on Message { replyTo { id body } } } }', { id: answerId }))['node'];
    expect(await replyTo()).toEqual({ replyTo: { id: question.id, body: 'question' } });
    await ada.edit(question.id, 'edited');
    expect(await replyTo()).toEqual({ replyTo: { id: question.id, body: 'edited' } });
    await ada.delete(question.id);
    expect(await replyTo()).toEqual({ replyTo: { id: question.id, body: null } });
  });

  test('stay in their conversation, though one is a member of both', async () => {
    const [ada] = await server.people('ada');
    const [one, other] = await Promise.all([ada.create(), ada.create()]);
    const there = await ada.send(other.id, 'there');
    await expect(ada.send(one.id, 'here', 'key', there.id)).rejects.toThrow('input.replyToId');
    expect((await history(ada, one.id)).messageCount).toBe(0);
  });
});

describe('who may edit and delete', () => {
  test.each([
    ['GROUP', 'OWNER', 'FORBIDDEN', 'done'],
    ['GROUP', 'ADMIN', 'FORBIDDEN', 'done'],
    ['GROUP', 'MEMBER', 'FORBIDDEN', 'FORBIDDEN'],
    ['GROUP', 'outsider', 'NOT_FOUND', 'NOT_FOUND'],
    ['DIRECT', 'MEMBER', 'FORBIDDEN', 'FORBIDDEN'],
    ['CHANNEL', 'outsider', 'NOT_FOUND', 'NOT_FOUND'],
  ])('in a %s to another %s: editing is %s, deleting %s', async (kind, role, editing, deleting) => {
    const [author, other, spare] = await server.people('author', 'other', 'spare');
    const { id } = await author.create({ kind, members: kind === 'DIRECT' || role !== 'outsider' ? [other] : [spare] });
    if (role === 'OWNER' || role === 'ADMIN') await author.setRole(id, other, role);
    const message = await author.send(id, 'mine');
    const outcome = (attempt: Promise<unknown>) =>
      attempt.then(
        () => 'done',
        (error: Error) => /"code":"(\w+)"/.exec(error.message)?.[1],
      );
    expect(await outcome(other.edit(message.id, 'theirs'))).toBe(editing);
    expect(await outcome(other.delete(message.id))).toBe(deleting);
    const { messages, sequence } = await history(author, id);
    expect(messages.map(({ body }) => body)).toEqual([deleting === 'done' ? null : 'mine']);
    expect(await outcome(author.edit(message.id, 'mended'))).toBe(deleting === 'done' ? 'CONFLICT' : 'done');
    expect(await outcome(author.delete(message.id))).toBe('done');
    expect((await history(author, id)).sequence).toBe(deleting === 'done' ? sequence : sequence + 2);
  });

  test('the same body again, and deleting again, change nothing and tell nobody', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const message = await ada.send(id, 'body');
    await using following = await ben.follow(id);
    await ada.edit(message.id, 'body');
    await ada.delete(message.id);
    await ada.delete(message.id);
    await ada.send(id, 'next');
    expect((await following.take(2)).map(({ __typename, messageChange }) => [__typename, messageChange])).toEqual([
      ['MessageChanged', 'DELETED'],
      ['MessageSent', undefined],
    ]);
  });
});

describe('bodyHtml', () => {
  const VECTORS = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg onload=alert(1)><circle/></svg>',
    '<a href="javascript:alert(1)">x</a>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java\nscript:alert(1))',
    '[x](&#106;avascript:alert(1))',
    '[x](\u0001javascript:alert(1))',
    '[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
    '[x](vbscript:msgbox(1))',
    '![x](javascript:alert(1))',
    '![x" onerror="alert(1)](http://a/b.png)',
    '[x](http://a "onmouseover=alert(1) x=")',
    '[x](http://a/"onmouseover="alert(1))',
    '<javascript:alert(1)>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<style>@import "javascript:alert(1)"</style>',
    '<math><mtext></p><style><img src=x onerror=alert(1)></style>',
    '<!--><img src=x onerror=alert(1)>-->',
    '```"><script>alert(1)</script>\ncode\n```',
    '<form action="javascript:alert(1)"><button formaction="javascript:alert(1)">x</button></form>',
    '<div style="background:url(javascript:alert(1))">x</div>',
    '<a\u0000 href="http://a" onclick="alert(1)">x</a>'.replace('\u0000', '\u000c'),
    '`<script>alert(1)</script>`',
    '| <img src=x onerror=alert(1)> |\n|---|\n| <script>1</script> |',
  ];
  const ALLOWED_TAG = /^<\/?(p|br|strong|em|del|code|pre|blockquote|ul|ol|li|a|h[1-6]|hr|table|thead|tbody|tr|th|td)( [^<>]*)?\/?>$/;
  const ALLOWED_ATTRIBUTE =
    /^(href="(https?:\/\/|mailto:)[^"<>]*"|rel="nofollow noopener noreferrer"|target="_blank"|class="language-[^"<>]*"|start="\d+"|align="\w+")$/;

  test('is inert, whatever a message holds', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    for (const body of VECTORS) await ada.send(id, body);
    const { conversation } = await ada.ask<{ conversation: { messages: { nodes: { body: string; bodyHtml: string }[] } } }>(
      'query ($id: ID!) { conversation(id: $id) { messages(last: 100) { nodes { body bodyHtml } } } }',
      { id },
    );
    const { nodes } = conversation.messages;
    expect(nodes.map(({ body }) => body)).toEqual(VECTORS);
    for (const { body, bodyHtml } of nodes) {
      // Everything between angle brackets must be a tag of the list with attributes of the list; there is no other bracket.
      for (const [tag] of bodyHtml.matchAll(/<[^>]*>?/g)) {
        expect([body, tag]).toEqual([body, expect.stringMatching(ALLOWED_TAG)]);
        const attributes = [...tag.matchAll(/ ([^ =]+="[^"]*"|[^ ="/>]+)/g)].map(([, attribute]) => attribute);
        for (const attribute of attributes) expect([body, attribute]).toEqual([body, expect.stringMatching(ALLOWED_ATTRIBUTE)]);
      }
    }
  });

  test('keeps what Markdown means, and links that say whose they are', async () => {
    const [ada] = await server.people('ada');
    const { id } = await ada.create();
    const { id: messageId } = await ada.send(
      id,
      '**bold** & <b>no</b> [site](https://example.org/?a=1&b=2)\n\n- one\n- two\n\n```ts\nlet x = "<";\n```',
    );
    const { node } = await ada.ask<{ node: { bodyHtml: string } }>('query ($id: ID!) { node(id: $id) { ... on Message { bodyHtml } } }', {
      id: messageId,
    });
    expect(node.bodyHtml).toContain('<strong>bold</strong> &amp; &lt;b&gt;no&lt;/b&gt;');
    expect(node.bodyHtml).toContain(
      '<a href="https://example.org/?a=1&amp;b=2" rel="nofollow noopener noreferrer" target="_blank">site</a>',
    );
    expect(node.bodyHtml).toContain('<li>one</li>');
    expect(node.bodyHtml).toContain('<code class="language-ts">let x = "&lt;";');
  });
});

describe('what is unread', () => {
  test('is what others wrote after the place read up to and did not delete', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    expect(await unread(ben, id)).toEqual([0, 0]);
    const sent = [];
    for (const body of ['one', 'two', 'three', 'four']) sent.push(await ada.send(id, body));
    expect(await unread(ben, id)).toEqual([4, 1]);
    expect(await unread(ada, id)).toEqual([0, 0]);
    await markRead(ben, id, 1);
    expect(await unread(ben, id)).toEqual([3, 1]);
    await ada.delete(sent[2]?.id ?? '');
    expect(await unread(ben, id)).toEqual([2, 1]);
    await ada.edit(sent[3]?.id ?? '', 'edited');
    expect(await unread(ben, id)).toEqual([2, 1]);
    await ben.send(id, 'of Ben');
    expect(await unread(ben, id)).toEqual([2, 1]);
    expect(await unread(ada, id)).toEqual([1, 1]);
    await markRead(ben, id, 4);
    expect(await unread(ben, id)).toEqual([0, 0]);
  });

  test('stops counting at 100, and for who joins begins with what comes then', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ members: [ben] });
    await Promise.all(Array.from({ length: 101 }, (_, index) => ada.send(id, `message ${index}`)));
    expect((await unread(ben, id))[0]).toBe(100);
    await ada.add(id, cy);
    expect(await unread(cy, id)).toEqual([0, 0]);
    await ada.send(id, 'for Cy too');
    expect(await unread(cy, id)).toEqual([1, 1]);
  });

  test('equals a count by hand after any mix of changes', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const model: { author: Person; id: string; isDeleted: boolean }[] = [];
    let readUpTo = 0;
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let step = 0; step < 60; step += 1) {
      const message = model[random(Math.max(1, model.length))];
      switch (random(5)) {
        case 0:
          if (message !== undefined) {
            await message.author.delete(message.id);
            message.isDeleted = true;
          }
          break;
        case 1: {
          const position = random(model.length + 3);
          const allowMoveBack = random(3) === 0;
          const wanted = Math.min(position, model.length);
          readUpTo = allowMoveBack ? wanted : Math.max(readUpTo, wanted);
          expect(await markRead(ben, id, position, allowMoveBack)).toBe(readUpTo);
          break;
        }
        default: {
          const author = random(3) === 0 ? ben : ada;
          model.push({ author, id: (await author.send(id, `step ${step}`)).id, isDeleted: false });
        }
      }
      const count = model.slice(readUpTo).filter(({ author, isDeleted }) => author === ada && !isDeleted).length;
      expect([step, await unread(ben, id)]).toEqual([step, [count, count > 0 ? 1 : 0]]);
    }
  });

  test('the place read up to never moves back unless that is asked for, nor beyond the newest', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    for (const body of ['one', 'two', 'three']) await ada.send(id, body);
    expect(await markRead(ben, id, 2)).toBe(2);
    expect(await markRead(ben, id, 1)).toBe(2);
    expect(await markRead(ben, id, 2_000_000_000)).toBe(3);
    expect(await markRead(ben, id, 1, true)).toBe(1);
    await Promise.all([3, 1, 2, 3, 2].map((position) => markRead(ben, id, position)));
    expect(await markRead(ben, id, 0)).toBe(3);
    expect(await markRead(ben, id, 0, true)).toBe(0);
    await expect(markRead((await server.people('cy'))[0], id, 1)).rejects.toThrow('NOT_FOUND');
  });
});
