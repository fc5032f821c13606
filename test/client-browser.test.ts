import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ConversationEvent } from '../src/client/client.ts';
import { isBrowserMissing, launchChromium } from './kit/chromium.ts';
import type { Person } from './kit/person.ts';
import { startProxy, type TestProxy } from './kit/proxy.ts';
import { startTestServer, type TestServer } from './kit/server.ts';

// A browser and a server beside each other want a machine of their own; on a busy one each step takes its time.
vi.setConfig({ testTimeout: 120_000 });

const root = fileURLToPath(new URL('..', import.meta.url));
const DEADLINE_MS = 30_000;

/** Keeps what it is told, and the cursor, in sessionStorage, so that both survive a reload together. */
const PAGE = `<!doctype html><title>Follower</title>
<script type="importmap">{ "imports": { "graphql-ws/client": "./graphql-ws/client.js" } }</script>
<script type="module">
  import { createRookeryClient } from './rookery/client.js';
  const { url, accessToken, conversationId, after, random, ...options } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  const client = createRookeryClient({ url, accessToken: () => accessToken, random: () => random ?? Math.random(), ...options });
  const kept = JSON.parse(sessionStorage.getItem('kept') ?? 'null') ?? { cursor: after, events: [] };
  const state = { statuses: [], problems: [] };
  window.look = () => ({ ...state, events: kept.events });
  window.send = (body) => client.send({ conversationId, clientMessageId: crypto.randomUUID(), body });
  client.followConversation({
    conversationId,
    after: kept.cursor,
    onEvent(event) {
      kept.events.push(event);
      kept.cursor = event.cursor;
      sessionStorage.setItem('kept', JSON.stringify(kept));
    },
    onStatus(status, problem) {
      state.statuses.push(status);
      if (problem !== null) state.problems.push({ code: problem.code, message: problem.message });
    },
  });
</script>`;

describe.skipIf(isBrowserMissing('The client in a page'))('the built client in a page', () => {
  let browser: Browser;
  let site: Server;
  let origin: string;
  const directory = mkdtempSync(join(tmpdir(), 'rookery-page-'));

  beforeAll(async () => {
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.client.json', '--outDir', directory], { cwd: root });
    const scripts = new Map([
      ...scriptsIn('/rookery/', directory),
      ...scriptsIn('/graphql-ws/', join(root, 'node_modules/graphql-ws/dist')),
    ]);
    site = createServer(({ url = '' }, response) => {
      const script = scripts.get(url);
      response.setHeader('Content-Type', script === undefined ? 'text/html; charset=utf-8' : 'text/javascript; charset=utf-8');
      response.end(script ?? PAGE);
    });
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`; // It listens by TCP.
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    site?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('survives reloads at any moment: each change is told once, in order', async () => {
    await using scene = await Scene.open(browser, origin);
    let isWriting = true;
    const writing = (async () => {
      for (let number = 1; isWriting; number += 1) await scene.ben.send(scene.id, `number ${number}`);
    })();
    for (let reload = 1; reload <= 6; reload += 1) {
      const before = await scene.count();
      await expect.poll(() => scene.count(), { timeout: DEADLINE_MS }).toBeGreaterThan(before + reload * 3);
      await scene.page.reload();
    }
    isWriting = false;
    await writing;
    await scene.ben.send(scene.id, 'the last');
    await scene.hears('the last');
    await scene.expectUnbroken();
  }, 60_000);

  test('goes on at once when the browser is online again, however long it would have waited', async () => {
    // A delay of minutes, were it not for the sign.
    await using scene = await Scene.open(browser, origin, { random: 1_000 });
    await scene.isIn('live');
    await scene.context.setOffline(true);
    scene.proxy.refuse();
    await scene.isIn('waiting');
    await scene.ben.send(scene.id, 'while offline');
    scene.proxy.heal();
    await scene.context.setOffline(false);
    await scene.hears('while offline');
    await scene.isIn('live');
    await scene.expectUnbroken();
  });

  test('asks at a sign of the browser whether the network is there, and leaves one that is dead', async () => {
    // It would not ask by itself for an hour.
    await using scene = await Scene.open(browser, origin, { pingIntervalMs: 3_600_000, pongTimeoutMs: 1_000 });
    await scene.isIn('live');
    scene.proxy.blackHole();
    await scene.page.evaluate(() => globalThis.dispatchEvent(new Event('pageshow')));
    // It may be at the next attempt by the time one looks.
    await expect
      .poll(async () => (await scene.look()).problems[0], { timeout: DEADLINE_MS })
      .toEqual({ code: 'CONNECTION_LOST', message: 'The server said nothing for 1000 ms.' });
    await scene.ben.send(scene.id, 'into the void');
    scene.proxy.heal();
    await scene.hears('into the void');
    await scene.expectUnbroken();
  });

  test('notices a network that died without a word by itself', async () => {
    await using scene = await Scene.open(browser, origin, { pingIntervalMs: 300, pongTimeoutMs: 1_000 });
    await scene.isIn('live');
    scene.proxy.blackHole();
    await expect.poll(async () => (await scene.look()).problems.length, { timeout: DEADLINE_MS }).toBeGreaterThan(0);
    await scene.ben.send(scene.id, 'into the void');
    scene.proxy.heal();
    await scene.hears('into the void');
    await scene.expectUnbroken();
    await scene.page.evaluate(() => (globalThis as unknown as { send(body: string): Promise<unknown> }).send('and back'));
    await scene.hears('and back');
  }, 60_000);

  test('was suspended while its connection went and others wrote, and has it all when it is active again', async () => {
    await using scene = await Scene.open(browser, origin, { pingIntervalMs: 300, pongTimeoutMs: 1_000 });
    await scene.isIn('live');
    const devtools = await scene.context.newCDPSession(scene.page);
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
    for (let number = 1; number <= 10; number += 1) await scene.ben.send(scene.id, `unseen ${number}`);
    scene.proxy.cut();
    for (let number = 11; number <= 20; number += 1) await scene.ben.send(scene.id, `unseen ${number}`);
    await devtools.send('Page.setWebLifecycleState', { state: 'active' });
    await scene.hears('unseen 20');
    await scene.expectUnbroken();
  }, 60_000);
});

function scriptsIn(path: string, folder: string): readonly (readonly [string, Buffer])[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.js'));
  return names.map((name) => [`${path}${name}`, readFileSync(join(folder, name))]);
}

type Look = {
  readonly statuses: readonly string[];
  readonly problems: readonly { code: string; message: string }[];
  readonly events: readonly ConversationEvent[];
};

/** A page of another origin that follows a conversation through a piece of network. */
class Scene implements AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly proxy: TestProxy;
  readonly ben: Person;
  readonly id: string;
  readonly #sequence: number;
  readonly #server: TestServer;

  private constructor(parts: {
    context: BrowserContext;
    page: Page;
    proxy: TestProxy;
    ben: Person;
    id: string;
    sequence: number;
    server: TestServer;
  }) {
    this.context = parts.context;
    this.page = parts.page;
    this.proxy = parts.proxy;
    this.ben = parts.ben;
    this.id = parts.id;
    this.#sequence = parts.sequence;
    this.#server = parts.server;
  }

  static async open(browser: Browser, origin: string, options: object = {}): Promise<Scene> {
    const server = await startTestServer({ config: { allowedOrigins: [origin] } });
    const proxy = await startProxy(server.app.port);
    const [ada, ben] = await server.people('ada', 'ben');
    const { id, cursor, sequence } = await ada.create({ members: [ben] });
    const context = await browser.newContext();
    context.setDefaultTimeout(DEADLINE_MS);
    const page = await context.newPage();
    const parameters = { url: `${proxy.url}/graphql`, accessToken: ada.accessToken, conversationId: id, after: cursor, ...options };
    await page.goto(`${origin}/#${encodeURIComponent(JSON.stringify(parameters))}`);
    return new Scene({ context, page, proxy, ben, id, sequence, server });
  }

  /** Nothing while the page is being loaded. */
  async look(): Promise<Look> {
    const look = await this.page.evaluate(() => (globalThis as unknown as { look?(): Look }).look?.()).catch(() => undefined);
    return look ?? { statuses: [], problems: [], events: [] };
  }

  async count(): Promise<number> {
    return (await this.look()).events.length;
  }

  async isIn(status: string): Promise<void> {
    await expect.poll(async () => (await this.look()).statuses.at(-1), { timeout: DEADLINE_MS }).toBe(status);
  }

  async hears(body: string): Promise<void> {
    const bodies = async () => (await this.look()).events.map((event) => (event.__typename === 'MessageSent' ? event.message.body : null));
    await expect.poll(bodies, { timeout: 2 * DEADLINE_MS }).toContain(body);
  }

  /** An independent check: each event joins on to the one before, and no message is told twice. */
  async expectUnbroken(): Promise<void> {
    const { events } = await this.look();
    let position: number | null = this.#sequence;
    for (const { previousSequence, sequence } of events) {
      expect(previousSequence).toBe(position);
      position = sequence;
    }
    const messages = events.flatMap((event) => (event.__typename === 'MessageSent' ? [event.message.id] : []));
    expect(new Set(messages).size).toBe(messages.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    await this.proxy[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}
