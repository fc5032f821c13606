import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isBrowserMissing, launchChromium } from './kit/chromium.ts';
import { startTestServer } from './kit/server.ts';

// A browser and a server beside each other want a machine of their own; on a busy one each step takes its time.
vi.setConfig({ testTimeout: 120_000 });

const DEADLINE_MS = 30_000;
const TABS = ['SignUp', 'CreateConversation', 'Follow', 'Send', 'Reply', 'React', 'MarkRead', 'Typing', 'History', 'Search'];

test('GraphiQL keeps its policy when a browser asks whether it has changed', async () => {
  await using server = await startTestServer();
  const visit = async (headers: Readonly<Record<string, string>>) => {
    const response = await fetch(`${server.url}/graphql`, { headers: { Accept: 'text/html', ...headers } });
    await response.body?.cancel();
    return response;
  };
  const first = await visit({});
  const second = await visit({ 'If-None-Match': first.headers.get('etag') ?? '' });
  expect([first.status, second.status]).toEqual([200, 304]);
  expect(second.headers.get('content-security-policy')).toBe(first.headers.get('content-security-policy'));
});

describe.skipIf(isBrowserMissing('GraphiQL'))('GraphiQL', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
  });

  test('leads through its tabs, from signing up to a message, its thread, a reaction and more that arrive live, with the token put in once', async () => {
    await using server = await startTestServer();
    await using laptop = await Laptop.open(browser, server.url);
    const window = await laptop.openWindow();

    const accessToken = fieldOf(await window.run(/"accessToken": "[^"]+"/), 'accessToken');
    await window.fill('Headers', { Authorization: `Bearer ${accessToken}` });
    await window.openTab('CreateConversation');
    const conversationId = fieldOf(await window.run(/"id": "cnv_/), 'id');

    const second = await laptop.openWindow();
    await second.openTab('Follow');
    await second.fill('Headers', { Authorization: `Bearer ${accessToken}` });
    await second.run(/"CaughtUp"/);

    await window.openTab('Send');
    await window.fill('Variables', { input: { conversationId, clientMessageId: 'first', body: 'Hello, **engine**.' } });
    const messageId = fieldOf(await window.run(/"position": 1/), 'id');
    expect(await second.answer(/"MessageSent"/)).toContain('"body": "Hello, **engine**."');

    await window.openTab('Reply');
    const reply = { conversationId, threadRootId: messageId, clientMessageId: 'second', body: 'Hello yourself.' };
    await window.fill('Variables', { input: reply });
    expect(await window.run(/"position": 2/)).toContain('"replyCount": 1');
    expect(await second.answer(/"Hello yourself\."/)).toContain(`"threadRoot": {"id": "${messageId}"`);

    await window.openTab('React');
    await window.fill('Variables', { input: { messageId, emoji: '👍' } });
    await window.run(/"viewerReactions": \["👍"/);
    await second.answer(/"messageChange": "REACTIONS"/);

    await window.openTab('MarkRead');
    await window.fill('Variables', { input: { conversationId, position: 2 } });
    await window.run(/"viewerReadPosition": 2/);
    await second.answer(/"ReadMoved"/);

    await window.openTab('Typing');
    await window.fill('Variables', { input: { conversationId, isTyping: true } });
    await window.run(/"setTyping"/);
    await second.answer(/"TypingChanged"/);

    await window.openTab('History');
    expect(await window.run(/"messages"/)).toContain('"viewerTitle": "Analytical engines"');
    await window.openTab('Search');
    expect(await window.run(/"searchMessages"/)).toMatch(/"highlights": \[\s*\{\s*"start": 9,\s*"length": 6/);

    expect(laptop.initializations).toEqual([{ type: 'connection_init', payload: { Authorization: `Bearer ${accessToken}` } }]);
    expect(laptop.bodies.filter((body) => body.includes(accessToken))).toEqual([]);
    expect([...laptop.hosts]).toEqual([new URL(server.url).host]);
    expect(laptop.complaints).toEqual([]);
  });

  test('has the same tabs when it is loaded again, the first as it was, and says where the token goes', async () => {
    await using server = await startTestServer();
    await using laptop = await Laptop.open(browser, server.url);
    const window = await laptop.openWindow();
    const { page } = window;
    // Two loads: the first writes down what the second finds.
    for (let load = 1; load <= 2; load += 1) {
      await expect.poll(() => page.evaluate(() => localStorage.getItem('graphiql:tabState')), { timeout: DEADLINE_MS }).not.toBeNull();
      await page.reload();
      await (await window.openPane('Variables')).getByText('"ada"').waitFor();
      await (await window.openPane('Headers')).getByText('<accessToken>').waitFor();
      expect(await page.locator('.graphiql-tab-button').allInnerTexts()).toEqual(TABS);
    }
    expect(laptop.complaints).toEqual([]);
  });
});

/** The value of a field, of which an answer has one. */
function fieldOf(answer: string, name: string): string {
  const [, value] = new RegExp(`"${name}": "([^"]+)"`).exec(answer) ?? [];
  if (value === undefined) throw new Error(`Must answer "${name}", got ${answer}`);
  return value;
}

/** Somebody's browser, and all that goes in and out of it. */
class Laptop implements AsyncDisposable {
  /** Errors and warnings of the console: the page's, and those of the browser about what the policy forbids. */
  readonly complaints: string[] = [];
  readonly initializations: unknown[] = [];
  readonly hosts = new Set<string>();
  readonly bodies: string[] = [];
  readonly #context: BrowserContext;
  readonly #url: string;

  private constructor(context: BrowserContext, url: string) {
    this.#context = context;
    this.#url = url;
  }

  static async open(browser: Browser, url: string): Promise<Laptop> {
    const context = await browser.newContext();
    context.setDefaultTimeout(DEADLINE_MS);
    return new Laptop(context, url);
  }

  async openWindow(): Promise<Window> {
    const page = await this.#context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('request', (request) => {
      // What the page makes itself, such as its workers, comes from no host.
      const { protocol, host } = new URL(request.url());
      if (protocol !== 'blob:' && protocol !== 'data:') this.hosts.add(host);
      this.bodies.push(request.postData() ?? '');
    });
    page.on('websocket', (socket) => {
      this.hosts.add(new URL(socket.url()).host);
      socket.on('framesent', ({ payload }) => {
        const frame: unknown = JSON.parse(String(payload));
        if (typeof frame === 'object' && frame !== null && 'type' in frame && frame.type === 'connection_init')
          this.initializations.push(frame);
      });
    });
    await page.goto(`${this.#url}/graphql`);
    await page.locator('.graphiql-query-editor .view-line').first().waitFor();
    return new Window(page);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}

/** One window of several: those behind are slow to draw, so whoever looks at one brings it to the front. */
class Window {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async openTab(name: string): Promise<void> {
    await this.page.bringToFront();
    await this.page.locator('.graphiql-tab-button', { hasText: name }).click();
    await this.page.locator('.graphiql-tab-active', { hasText: name }).waitFor();
    // GraphiQL parses a moment later, and writes into the address what it then would run.
    await this.page.waitForURL(({ searchParams }) => searchParams.get('query')?.includes(` ${name}`) === true);
  }

  /** Shows Variables or Headers, and gives the editor there. */
  async openPane(name: 'Variables' | 'Headers'): Promise<Locator> {
    await this.page.locator('.graphiql-editor-tools').getByRole('button', { name }).click();
    return this.page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines');
  }

  /** Writes JSON over what is in Variables or Headers. */
  async fill(pane: 'Variables' | 'Headers', value: object): Promise<void> {
    await (await this.openPane(pane)).click();
    await this.page.keyboard.press('ControlOrMeta+A');
    await this.page.keyboard.insertText(JSON.stringify(value));
    // The editor closes brackets by itself: what stands behind the cursor is its own.
    await this.page.keyboard.press('ControlOrMeta+Shift+End');
    await this.page.keyboard.press('Delete');
  }

  async run(expected: RegExp): Promise<string> {
    await this.page.locator('.graphiql-execute-button').click();
    return this.answer(expected);
  }

  /** What is answered, once it is as expected. */
  async answer(expected: RegExp): Promise<string> {
    await this.page.bringToFront();
    // The editor breaks long lines, and shows spaces as such that do not break.
    const shown = this.page.locator('.result-window .view-lines');
    const read = async () => (await shown.innerText()).replaceAll(/\n\s*/g, '').replaceAll('\u00a0', ' ');
    await expect.poll(read, { timeout: DEADLINE_MS }).toMatch(expected);
    return read();
  }
}
