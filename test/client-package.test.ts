import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer } from './kit/server.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const DEADLINE_MS = 60_000;

const FOLLOW = `
import { createRookeryClient } from 'rookery/client';
const [url, accessToken, conversationId, after] = process.argv.slice(2);
const client = createRookeryClient({ url, accessToken: () => accessToken });
const events = [];
let sending;
client.followConversation({
  conversationId,
  after,
  onEvent(event) {
    events.push(event.__typename);
    if (event.__typename === 'CaughtUp') sending = client.send({ conversationId, clientMessageId: crypto.randomUUID(), body: 'from afar' });
    if (event.message?.body !== 'from afar') return;
    console.log(JSON.stringify(events));
    sending.then(client.close);
  },
});
`;

const TYPED = `
import { type ChainedEvent, createRookeryClient, type Following, RookeryProblem, type Status } from 'rookery/client';

const client = createRookeryClient({ url: 'https://chat.example.org/graphql', accessToken: async (refused) => (refused === null ? 'token' : null) });
client.followConversation({
  conversationId: 'cnv_1',
  after: 'cursor',
  onEvent(event) {
    const next: number | null = event.sequence;
    if (event.__typename === 'MessageSent') console.log(next, event.message.author.displayName.length, event.message.body?.length);
    // @ts-expect-error: not every event has a message.
    console.log(event.message.body);
  },
});
// @ts-expect-error: an inbox is somebody's.
client.followInbox({ onEvent() {} });
type Own = ChainedEvent & { readonly message?: { readonly bodyHtml: string | null } };
const following: Following = client.followInbox<Own>({
  viewerId: 'usr_1',
  selection: '... on MessageSent { message { bodyHtml } }',
  onEvent: ({ message, cursor }) => console.log(message?.bodyHtml?.length, cursor?.length),
  onStatus: (status: Status, problem) => console.log(status === 'live', problem instanceof RookeryProblem && problem.isFinal, problem?.code.length),
});
// @ts-expect-error: it is told where it is, and moves on by itself.
following.cursor = 'elsewhere';
const { message }: { message: { position: number } } = await client.send({ conversationId: 'cnv_1', clientMessageId: 'one', body: 'Hello' });
console.log(message.position);
`;

/** What the examples of docs/guide/client.md take for granted. */
const GIVEN = `
declare const session: { readonly accessToken: string };
declare const conversationId: string;
declare const cursor: string;
declare const viewerId: string;
declare const viewerCursor: string;
declare const show: (event: object) => void;
declare const showStatus: (status: string) => void;
declare const readSnapshotAndFollowAgain: () => void;
`;

const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2022', 'dom'],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  },
  files: ['typed.ts', 'guide.ts'],
};

let directory: string;
let project: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rookery-package-'));
  project = join(directory, 'project');
  mkdirSync(project);
  await run('npm', ['run', 'pack:client', '--', '--pack-destination', directory], root);
  const [tarball = ''] = readdirSync(directory).filter((name) => name.endsWith('.tgz'));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'somebody', private: true, type: 'module' }));
  // What it depends on is given from here, so that nothing is fetched: npm would complain if it needed more than that, or another version.
  const needed = ['graphql-ws', 'graphql'].map((name) => join(root, 'node_modules', name));
  const flags = ['--install-links', '--offline', '--cache', join(directory, 'cache'), '--ignore-scripts', '--no-audit'];
  await run('npm', ['install', join(directory, tarball), ...needed, ...flags], project);
}, DEADLINE_MS);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test(
  'the client is installed from its tarball with graphql-ws and what that needs, and follows and sends',
  async () => {
    expect(readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      'graphql',
      'graphql-ws',
      'rookery',
    ]);
    await using server = await startTestServer();
    const [ada] = await server.people('ada');
    const { id, cursor } = await ada.create();
    await ada.send(id, 'before');
    writeFileSync(join(project, 'follow.js'), FOLLOW);
    const flags = 'Deno' in globalThis ? ['run', '-A', '--node-modules-dir=manual'] : [];
    const { stdout } = await run(process.execPath, [...flags, 'follow.js', `${ada.url}/graphql`, ada.accessToken, id, cursor], project);
    expect(JSON.parse(stdout)).toEqual(['MessageSent', 'CaughtUp', 'MessageSent']);
  },
  DEADLINE_MS,
);

test(
  'its types say what an event has, and what it may not have, and the examples of the guide fit them',
  async () => {
    const guide = readFileSync(join(root, 'docs/guide/client.md'), 'utf8');
    const examples = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
    expect(examples).toHaveLength(3);
    writeFileSync(join(project, 'guide.ts'), GIVEN + examples.join('\n'));
    writeFileSync(join(project, 'typed.ts'), TYPED);
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    await run(join(root, 'node_modules/.bin/tsc'), ['-p', project], root);
  },
  DEADLINE_MS,
);

test(
  'the whole of Rookery packs with the built client in it, under the same name and version',
  async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], root);
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }]; // So npm says.
    const paths = files.map(({ path }) => path);
    const rookery = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const client = JSON.parse(readFileSync(join(root, 'src/client/package.json'), 'utf8'));
    for (const path of Object.values<string>(rookery.exports['./client'])) {
      expect(paths).toContain(path.slice(2));
      expect(existsSync(join(root, path))).toBe(true);
    }
    for (const path of ['src/main.ts', 'src/server/chat-page/index.html', 'schema/events.graphql', 'migrations/0001-identity.sql'])
      expect(paths).toContain(path);
    expect(client.dependencies).toEqual({ 'graphql-ws': rookery.dependencies['graphql-ws'] });
    expect({ name: client.name, version: client.version, license: client.license }).toEqual({
      name: rookery.name,
      version: rookery.version,
      license: rookery.license,
    });
  },
  DEADLINE_MS,
);

/** Rejects with what was said on both channels. */
async function run(command: string, words: readonly string[], cwd: string): Promise<{ readonly stdout: string }> {
  try {
    return await promisify(execFile)(command, words, { cwd, timeout: DEADLINE_MS });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }; // So execFile rejects.
    throw new Error(`${command} ${words.join(' ')} must succeed.\n${stdout}\n${stderr}`, { cause: error });
  }
}
