import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { post } from './kit/http.ts';
import { DEFAULT_POLICIES } from './kit/limits/policies.ts';
import { startTestServer } from './kit/server.ts';
import { SocketClient } from './kit/ws-client.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');

test('the first five operations of the README work as they stand there, in their order', async () => {
  await using server = await startTestServer({ limitPolicies: DEFAULT_POLICIES });
  const [signUp = '', create = '', send = '', history = '', follow = ''] = operationsOf(read('README.md'));

  const { accessToken } = (await ask<{ signUp: { accessToken: string } }>(server.url, signUp)).signUp;
  const created = await ask<{ createConversation: { conversation: { id: string; cursor: string } } }>(server.url, create, accessToken);
  const { id, cursor } = created.createConversation.conversation;
  const filledIn = (operation: string) => operation.replace('cnv_…', id).replace('<cursor>', cursor);

  const sent = await ask<{ sendMessage: { message: { id: string; position: number } } }>(server.url, filledIn(send), accessToken);
  expect(sent.sendMessage.message.position).toBe(1);
  expect(await ask(server.url, filledIn(send), accessToken)).toEqual(sent);
  expect(await ask(server.url, filledIn(history), accessToken)).toMatchObject({
    conversation: { messages: { nodes: [{ position: 1, body: 'Hello, **engine**.', author: { displayName: 'Ada Lovelace' } }] } },
  });

  await using socket = await SocketClient.open(server.url, accessToken);
  socket.subscribe('follow', filledIn(follow));
  const typenames = [];
  for (let event = 0; event < 2; event += 1) {
    const { data } = await socket.nextOf<{ data: { conversationEvents: { __typename: string } } }>('follow');
    typenames.push(data.conversationEvents.__typename);
  }
  expect(typenames).toEqual(['MessageSent', 'CaughtUp']);
});

test('what the README and the docs point to exists', () => {
  const links = [...read('README.md').matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => path);
  const files = [...read('docs/message-path.md').matchAll(/`([\w-]+\/[\w./-]*)`/g)].map(([, path = '']) => path);
  const missing = [...links, ...files].filter((path) => !existsSync(`${root}${path}`) && !existsSync(`${root}src/${path}`));
  expect(missing).toEqual([]);
  expect(links.length).toBeGreaterThan(3);
  expect(files.length).toBeGreaterThan(20);
});

function operationsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, operation = '']) => operation);
}

async function ask<Data>(url: string, query: string, accessToken?: string): Promise<Data> {
  const { body } = await post<Data>(url, query, accessToken === undefined ? {} : { accessToken });
  if (!body.data) throw new Error(`Must succeed, got ${JSON.stringify(body.errors)}`);
  return body.data;
}
