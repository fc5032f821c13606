import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Action, can, ROLE_MIN } from '../src/conversations/permission.ts';
import type { Person } from './kit/person.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const CREATE =
  'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { conversation { id title viewerTitle } } }';
type Created = { readonly createConversation: { readonly conversation: { readonly id: string; readonly viewerTitle: string } } };

async function createdId(person: Person, input: object): Promise<string> {
  return (await person.ask<Created>(CREATE, { input })).createConversation.conversation.id;
}

type PageInfo = { readonly hasNextPage: boolean; readonly endCursor: string };
type MembersPage = { readonly nodes: readonly { readonly user: { readonly handle: string } }[]; readonly pageInfo: PageInfo };
type ChannelsPage = { readonly nodes: readonly { readonly title: string }[]; readonly pageInfo: PageInfo };

const PAGE = 'fragment Page on MemberConnection { ... { edges { cursor } } }';
const NOTHING = { conversation: null };
const read = (person: Person, id: string, fields = 'id', fragment = '') =>
  person.ask<{ conversation: Record<string, unknown> | null }>(`query ($id: ID!) { conversation(id: $id) { ${fields} } } ${fragment}`, {
    id,
  });

async function roles(person: Person, id: string): Promise<Record<string, string>> {
  const { conversation } = await person.ask<{ conversation: { members: { nodes: { role: string; user: { handle: string } }[] } } }>(
    'query ($id: ID!) { conversation(id: $id) { members(first: 100) { nodes { role user { handle } } } } }',
    { id },
  );
  return Object.fromEntries(conversation.members.nodes.map(({ role, user }) => [user.handle, role]));
}

async function join(person: Person, id: string) {
  return person.ask('mutation ($id: ID!) { joinChannel(input: { conversationId: $id }) { member { role } } }', { id });
}

describe('a DIRECT conversation', () => {
  test('is one for each pair, whoever begins it, however many do so at once', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const begin = (index: number) => {
      const [from, to] = index % 2 === 0 ? [ada, ben] : [ben, ada];
      return createdId(from, { kind: 'DIRECT', memberIds: [to.id] });
    };
    const ids = await Promise.all(Array.from({ length: 20 }, (_, index) => begin(index)));
    expect(new Set(ids).size).toBe(1);
    const { viewer } = await ben.ask<{ viewer: object }>('{ viewer { conversations { nodes { id members { totalCount } } } } }');
    expect(viewer).toEqual({ conversations: { nodes: [{ id: ids[0], members: { totalCount: 2 } }] } });
  });

  test('shows each of the two the other, and neither leaves it, changes it or adds to it', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ kind: 'DIRECT', members: [ben] });
    expect(await read(ada, id, 'title viewerTitle viewerRole')).toEqual({
      conversation: { title: null, viewerTitle: 'ben', viewerRole: 'MEMBER' },
    });
    expect(await read(ben, id, 'viewerTitle')).toEqual({ conversation: { viewerTitle: 'ada' } });
    expect(await read(cy, id)).toEqual(NOTHING);
    const attempts = [
      ada.leave(id),
      ada.add(id, cy),
      ada.remove(id, ben),
      ada.setRole(id, ben, 'ADMIN'),
      ada.ask('mutation ($id: ID!) { updateConversation(input: { conversationId: $id, title: "T" }) { cursor } }', { id }),
    ];
    await Promise.all(attempts.map((attempt) => expect(attempt).rejects.toThrow('FORBIDDEN')));
  });
});

describe('clientConversationId', () => {
  test('makes a conversation once, and is refused for another', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const input = { kind: 'GROUP', title: 'Once', memberIds: [ben.id, cy.id], clientConversationId: 'key' };
    const ids = await Promise.all(Array.from({ length: 10 }, () => createdId(ada, input)));
    expect(new Set(ids).size).toBe(1);
    expect(await createdId(ada, { ...input, memberIds: [cy.id, ben.id, ada.id] })).toBe(ids[0]);
    for (const other of [{ title: 'Other' }, { topic: 'T' }, { memberIds: [ben.id] }, { kind: 'CHANNEL' }]) {
      expect((await ada.refused(CREATE, { input: { ...input, ...other } })).extensions['code']).toBe('CONFLICT');
    }
    expect(await createdId(ben, { ...input, memberIds: [cy.id] })).not.toBe(ids[0]);
  });
});

describe('permissions', () => {
  const ROLES = ['OWNER', 'ADMIN', 'MEMBER', 'left', 'outsider'] as const;
  type Crew = Readonly<Record<(typeof ROLES)[number] | 'target' | 'spare', Person>>;
  let crew: Crew;
  beforeAll(async () => {
    const [owner, admin, member, left, outsider, target, spare] = await server.people(
      'owner',
      'admin',
      'member',
      'left',
      'outsider',
      'target',
      'spare',
    );
    crew = { OWNER: owner, ADMIN: admin, MEMBER: member, left, outsider, target, spare };
  });

  /** Tries, and puts things back as they were. */
  const ACTIONS: Readonly<Record<Action, (actor: Person, id: string) => Promise<void>>> = {
    async updateConversation(actor, id) {
      await actor.ask(
        'mutation ($id: ID!, $topic: String) { updateConversation(input: { conversationId: $id, topic: $topic }) { cursor } }',
        {
          id,
          topic: `by ${actor.handle}`,
        },
      );
    },
    async addMembers(actor, id) {
      await actor.add(id, crew.spare);
      await crew.OWNER.remove(id, crew.spare);
    },
    async removeMember(actor, id) {
      await actor.remove(id, crew.target);
      await crew.OWNER.add(id, crew.target);
    },
    async setMemberRole(actor, id) {
      await actor.setRole(id, crew.target, 'ADMIN');
      await crew.OWNER.setRole(id, crew.target, 'MEMBER');
    },
    async deleteMessageOfOthers(actor, id) {
      await actor.delete((await crew.target.send(id, 'to be deleted')).id);
    },
    async pinMessage(actor, id) {
      const { id: messageId } = await crew.target.send(id, 'to be pinned');
      await actor.ask('mutation ($messageId: ID!) { pinMessage(input: { messageId: $messageId }) { cursor } }', { messageId });
    },
    async mentionAll(actor, id) {
      const { sendMessage } = await actor.ask<{ sendMessage: { message: { mentionsAll: boolean } } }>(
        `mutation ($id: ID!, $key: String!) {
          sendMessage(input: { conversationId: $id, clientMessageId: $key, body: "@all" }) { message { mentionsAll } }
        }`,
        { id, key: randomUUID() },
      );
      // Not refused: it is text then.
      if (!sendMessage.message.mentionsAll) throw new Error('"code":"FORBIDDEN"');
    },
  };

  test.each(['GROUP', 'CHANNEL'])('in a %s every role may what the table says, and outsiders see nothing to act on', async (kind) => {
    const { OWNER, ADMIN, MEMBER, left, target } = crew;
    const { id } = await OWNER.create({ kind, members: [ADMIN, MEMBER, left, target] });
    await OWNER.setRole(id, ADMIN, 'ADMIN');
    await left.leave(id);
    const found: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const role of ROLES) {
      for (const action of Object.keys(ROLE_MIN) as Action[]) {
        const cell = `${role} ${action}`;
        const outside = role === 'left' || role === 'outsider';
        expected[cell] = outside ? 'NOT_FOUND' : can({ role }, action) ? 'done' : 'FORBIDDEN';
        found[cell] = await ACTIONS[action](crew[role], id).then(
          () => 'done',
          (error: Error) => /"code":"(\w+)"/.exec(error.message)?.[1] ?? error.message,
        );
      }
    }
    expect(found).toEqual(expected);
    expect(Object.values(found).filter((outcome) => outcome === 'done').length).toBe(15);
  });

  test('one removes members of a lower role only', async () => {
    const { OWNER, ADMIN, MEMBER, target } = crew;
    const { id } = await OWNER.create({ members: [ADMIN, MEMBER, target] });
    await OWNER.setRole(id, ADMIN, 'ADMIN');
    const outcomes: string[] = [];
    for (const [actor, role] of [
      [ADMIN, 'OWNER'],
      [ADMIN, 'ADMIN'],
      [ADMIN, 'MEMBER'],
      [OWNER, 'OWNER'],
      [OWNER, 'ADMIN'],
    ] as const) {
      await OWNER.add(id, target);
      await OWNER.setRole(id, target, role);
      outcomes.push(
        await actor.remove(id, target).then(
          () => 'done',
          (error: Error) => (error.message.includes('FORBIDDEN') ? 'FORBIDDEN' : error.message),
        ),
      );
    }
    expect(outcomes).toEqual(['FORBIDDEN', 'FORBIDDEN', 'done', 'FORBIDDEN', 'done']);
  });
});

describe('owners', () => {
  test('when the last one leaves, the most senior ADMIN follows, then whoever has been there longest', async () => {
    const [ada, ben, cy, dee] = await server.people('ada', 'ben', 'cy', 'dee');
    const { id } = await ada.create({ members: [ben] });
    await ada.add(id, cy);
    await ada.add(id, dee);
    await ada.setRole(id, dee, 'ADMIN');
    await using following = await cy.follow(id);
    await ada.leave(id);
    expect(await roles(cy, id)).toEqual({ [ben.handle]: 'MEMBER', [cy.handle]: 'MEMBER', [dee.handle]: 'OWNER' });
    const events = await following.take(2);
    expect(events.map(({ user, memberChange, member }) => [user?.handle, memberChange, member?.role])).toEqual([
      [ada.handle, 'LEFT', undefined],
      [dee.handle, 'ROLE', 'OWNER'],
    ]);
    expect(events[1]?.previousSequence).toBe(events[0]?.sequence);
    await dee.leave(id);
    expect(await roles(cy, id)).toEqual({ [ben.handle]: 'OWNER', [cy.handle]: 'MEMBER' });
  });

  test('the last one cannot become less, and one of two can', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    await expect(ada.setRole(id, ada, 'MEMBER')).rejects.toThrow('CONFLICT');
    await ada.setRole(id, ben, 'OWNER');
    await ada.setRole(id, ada, 'MEMBER');
    expect(await roles(ada, id)).toEqual({ [ada.handle]: 'MEMBER', [ben.handle]: 'OWNER' });
    await expect(ada.setRole(id, ben, 'MEMBER')).rejects.toThrow('FORBIDDEN');
  });

  test('two who leave at once leave one owner behind', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ members: [ben, cy] });
    await ada.setRole(id, ben, 'OWNER');
    await Promise.all([ada.leave(id), ben.leave(id)]);
    expect(await roles(cy, id)).toEqual({ [cy.handle]: 'OWNER' });
  });

  test('a CHANNEL that everybody has left belongs to whoever joins first', async () => {
    const [ada, ben, cy] = await server.people('ada', 'ben', 'cy');
    const { id } = await ada.create({ kind: 'CHANNEL' });
    await ada.leave(id);
    await join(ben, id);
    await join(cy, id);
    expect(await roles(cy, id)).toEqual({ [ben.handle]: 'OWNER', [cy.handle]: 'MEMBER' });
  });
});

describe('members', () => {
  test('of a GROUP come by being added; one joins only a CHANNEL, once however often', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const group = await ada.create();
    const channel = await ada.create({ kind: 'CHANNEL' });
    await expect(join(ben, group.id)).rejects.toThrow('NOT_FOUND');
    await Promise.all(Array.from({ length: 10 }, () => join(ben, channel.id)));
    expect(await read(ben, channel.id, 'sequence members { totalCount }')).toEqual({
      conversation: { sequence: channel.sequence + 1, members: { totalCount: 2 } },
    });
  });

  test('who leaves sees nothing of it any more, and all of it when they come back', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const { id } = await ada.create({ members: [ben] });
    const message = await ada.send(id, 'before');
    await ben.leave(id);
    await ada.send(id, 'meanwhile');
    expect(await read(ben, id)).toEqual(NOTHING);
    expect(
      await ben.ask('query ($id: ID!) { node(id: $id) { id } viewer { conversations { nodes { id } } } }', { id: message.id }),
    ).toEqual({
      node: null,
      viewer: { conversations: { nodes: [] } },
    });
    await expect(ben.send(id, 'from outside')).rejects.toThrow('NOT_FOUND');
    await expect(ben.leave(id)).rejects.toThrow('NOT_FOUND');
    await ada.add(id, ben);
    expect(await read(ben, id, 'messages { nodes { body } }')).toEqual({
      conversation: { messages: { nodes: [{ body: 'before' }, { body: 'meanwhile' }] } },
    });
  });

  test('are listed page by page in the order in which they joined', async () => {
    const [ada, ben, cy, dee] = await server.people('ada', 'ben', 'cy', 'dee');
    const { id } = await ada.create();
    for (const person of [dee, ben, cy]) await ada.add(id, person);
    await ada.remove(id, dee);
    await ada.add(id, dee);
    const handles: string[] = [];
    let after: string | null = null;
    for (let more = true; more; ) {
      const found: { conversation: { members: MembersPage } } = await ada.ask(
        'query ($id: ID!, $after: Cursor) { conversation(id: $id) { members(first: 2, after: $after) { nodes { user { handle } } pageInfo { hasNextPage endCursor } } } }',
        { id, after },
      );
      const { nodes, pageInfo } = found.conversation.members;
      handles.push(...nodes.map(({ user }) => user.handle));
      ({ hasNextPage: more, endCursor: after } = pageInfo);
    }
    expect(handles).toEqual([ada, ben, cy, dee].map(({ handle }) => handle));
  });
});

describe('a CHANNEL', () => {
  test('shows outsiders its title, topic and number of members, and nothing else', async () => {
    const [ada, ben] = await server.people('ada', 'ben');
    const id = await createdId(ada, { kind: 'CHANNEL', title: 'Open', topic: 'To all' });
    await ada.send(id, 'for members');
    const seen = await read(
      ben,
      id,
      'kind title topic viewerTitle viewerRole viewerUnreadCount viewerReadPosition members { __typename ...Count ... { totalCount } }',
      'fragment Count on MemberConnection { totalCount ... { __typename } }',
    );
    expect(seen).toEqual({
      conversation: {
        kind: 'CHANNEL',
        title: 'Open',
        topic: 'To all',
        viewerTitle: 'Open',
        viewerRole: null,
        viewerUnreadCount: 0,
        viewerReadPosition: 0,
        members: { __typename: 'MemberConnection', totalCount: 1 },
      },
    });
    const hidden = [
      'messages { nodes { id } }',
      'lastMessage { id }',
      'messageCount',
      'sequence',
      'cursor',
      'createdAt',
      'members { nodes { id } }',
      'members { totalCount pageInfo { endCursor } }',
      'members { totalCount ...Page }',
    ];
    for (const fields of hidden) {
      const error = await ben.refused(
        `query ($id: ID!) { conversation(id: $id) { title ${fields} } } ${fields.includes('...') ? PAGE : ''}`,
        { id },
      );
      expect([fields, error.extensions['code']]).toEqual([fields, 'NOT_FOUND']);
    }
  });

  test('is found by a part of its title, in which no character is a wildcard and case does not matter', async () => {
    const [ada] = await server.people('ada');
    const titles = ['zq 100%', 'zq 1000', 'zq a_b', 'zq axb', 'zq c\\d', 'zq cd', 'zq ÜBER', "zq it's"];
    for (const title of titles) await ada.create({ kind: 'CHANNEL', title });
    const find = async (query: string) =>
      (
        await ada.ask<{ channels: { nodes: { title: string }[] } }>(
          'query ($query: String) { channels(query: $query) { nodes { title } } }',
          {
            query,
          },
        )
      ).channels.nodes.map(({ title }) => title);
    expect(await find('zq 100%')).toEqual(['zq 100%']);
    expect(await find('ZQ A_B')).toEqual(['zq a_b']);
    expect(await find('zq c\\d')).toEqual(['zq c\\d']);
    expect(await find('q über')).toEqual(['zq ÜBER']);
    expect(await find("it's")).toEqual(["zq it's"]);
    expect((await find('zq ')).length).toBe(titles.length);
    expect(await find('zq nothing')).toEqual([]);
  });

  test('stands in a directory that is read page by page, in order, each once', async () => {
    const [ada] = await server.people('ada');
    const titles = ['bb', 'Aa', 'cc', 'aa', 'Bb', 'dd', 'ee'].map((title) => `xw ${title}`);
    for (const title of titles) await ada.create({ kind: 'CHANNEL', title });
    await ada.create({ kind: 'GROUP', title: 'xw a group is not listed' });
    const found: string[] = [];
    let after: string | null = null;
    for (let more = true; more; ) {
      const { channels }: { channels: ChannelsPage } = await ada.ask(
        'query ($after: Cursor) { channels(query: "xw ", first: 2, after: $after) { nodes { title } pageInfo { hasNextPage endCursor } } }',
        {
          after,
        },
      );
      found.push(...channels.nodes.map(({ title }) => title));
      ({ hasNextPage: more, endCursor: after } = channels.pageInfo);
    }
    expect(found).toEqual(['xw Aa', 'xw aa', 'xw bb', 'xw Bb', 'xw cc', 'xw dd', 'xw ee']);
  });
});
