import { existsSync } from 'node:fs';
import process from 'node:process';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase } from './kit/database.ts';
import { PASSWORD } from './kit/person.ts';
import { startTestServer } from './kit/server.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
const DEADLINE_MS = 10_000;
const SECRET = 'the same for both lives of the server';

const reasonToSkip = findReasonToSkip();
if (reasonToSkip !== null) process.stdout.write(`The chat page is not looked at: ${reasonToSkip}\n`);

function findReasonToSkip(): string | null {
  // Where changes are judged, a browser must be there: without one the tests below fail.
  if (existsSync(CHROMIUM) || process.env['CI'] === 'true') return null;
  return `there is no ${CHROMIUM}. Install chromium, or say where it is by CHROMIUM.`;
}

describe.skipIf(reasonToSkip !== null)('the chat page', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS.split(' ') });
  });

  afterAll(async () => {
    await browser?.close();
  });

  test('two people find each other and see what the other writes, edits and deletes at once', async () => {
    await using server = await startTestServer();
    await using ada = await Visitor.signUp(browser, server.url, 'ada', 'Ada Lovelace');
    await using grace = await Visitor.signUp(browser, server.url, 'grace', 'Grace Hopper');

    await ada.create('DIRECT', 'grace');
    await ada.write('Are you **there**?');
    expect(await grace.unreadOf('Ada Lovelace')).toBe('1');
    await grace.open('Ada Lovelace');
    expect(await grace.lines(1)).toEqual(['Are you there?']);
    await expect.poll(() => grace.page.locator('.badge').count()).toBe(0);

    await grace.write('Yes.');
    expect(await ada.lines(2)).toEqual(['Are you there?', 'Yes.']);

    await grace.change('Yes.', 'Edit');
    await grace.write('Yes, I am.');
    await expect.poll(() => ada.lines(2)).toEqual(['Are you there?', 'Yes, I am.']);
    await grace.change('Yes, I am.', 'Delete');
    await expect.poll(() => ada.lines(2)).toEqual(['Are you there?', 'Message deleted']);

    expect(await ada.checked()).toMatch(/^delivery checked: [1-9]\d* events, 0 gaps$/);
    expect([...ada.complaints, ...grace.complaints]).toEqual([]);
  });

  test('a channel is found in the directory, joined, and read back to its first message', async () => {
    await using server = await startTestServer();
    const [author] = await server.people('author');
    const { id } = await author.create({ kind: 'CHANNEL', title: 'Announcements' });
    for (let number = 1; number <= 35; number += 1) await author.send(id, `Number ${number}`);

    await using ada = await Visitor.signUp(browser, server.url, 'ada', 'Ada Lovelace');
    await ada.join('Announcements');
    expect((await ada.lines(30))[0]).toBe('Number 6');
    await ada.page.getByRole('button', { name: 'Load older messages' }).click();
    expect(await ada.lines(35)).toEqual(Array.from({ length: 35 }, (_, index) => `Number ${index + 1}`));

    await ada.page.locator('#directory summary').click();
    await expect.poll(() => ada.page.locator('#channels').innerText()).toMatch(/^# Announcements\s+2 in there$/);
    expect(ada.complaints).toEqual([]);
  });

  test('markup that somebody writes is shown as text and runs nothing', async () => {
    await using server = await startTestServer();
    await using ada = await Visitor.signUp(browser, server.url, 'ada', '<img src=x onerror=alert(1)>');
    await ada.create('GROUP', '<script>alert(2)</script>');
    await ada.write('<img src=x onerror=alert(3)> and [a link](javascript:alert(4))');
    expect((await ada.lines(1))[0]).toContain('<img src=x onerror=alert(3)>');
    expect(await ada.page.locator('#app img, #app script').count()).toBe(0);
    expect(ada.complaints).toEqual([]);
  });

  test('a message whose answer is lost on the way is sent again and written once', async () => {
    await using server = await startTestServer();
    await using ada = await Visitor.signUp(browser, server.url, 'ada', 'Ada Lovelace');
    await ada.create('GROUP', 'Notes');
    let lost = 0;
    await ada.page.route('**/graphql', async (route) => {
      if (lost > 1 || route.request().postData()?.includes('sendMessage') !== true) return route.continue();
      lost += 1;
      await route.fetch();
      return route.abort();
    });
    await ada.write('Once only.');
    await ada.write('And then.');
    expect(await ada.lines(2)).toEqual(['Once only.', 'And then.']);
    expect(lost).toBe(2);
  });

  test('when the server was away the page goes on by itself, and nothing is lost or doubled', async () => {
    await using database = await createTestDatabase();
    const first = await startTestServer({ database, config: { secret: SECRET } });
    const { port } = first.app;
    await using ada = await Visitor.signUp(browser, first.url, 'ada', 'Ada Lovelace');
    await using grace = await Visitor.signUp(browser, first.url, 'grace', 'Grace Hopper');
    await ada.create('DIRECT', 'grace');
    await ada.write('one');
    await grace.open('Ada Lovelace');
    expect(await grace.lines(1)).toEqual(['one']);

    await first[Symbol.asyncDispose]();
    await ada.isIn('waiting');
    await ada.write('two, into the void');
    await ada.page.getByText('sending …').waitFor({ timeout: DEADLINE_MS });

    await using _second = await startTestServer({ database, config: { secret: SECRET, port } });
    await Promise.all([ada.isIn('live'), grace.isIn('live')]);
    await grace.write('three');
    await expect
      .poll(async () => (await grace.lines(3)).toSorted(), { timeout: DEADLINE_MS })
      .toEqual(['one', 'three', 'two, into the void']);
    expect(await ada.lines(3)).toEqual(await grace.lines(3));
    expect(await grace.checked()).toContain(', 0 gaps');
  });

  test('when its access token expires the page goes on over the same socket, with a new one', async () => {
    const ttlMs = 7_000;
    await using server = await startTestServer({ config: { accessTokenTtlMs: ttlMs } });
    await using ada = await Visitor.signUp(browser, server.url, 'ada', 'Ada Lovelace');
    const expired = performance.now() + ttlMs;
    await ada.create('GROUP', 'Notes');
    await expect.poll(() => performance.now() > expired && ada.refreshes, { timeout: 2 * ttlMs }).toBe(1);
    await ada.write('Still here.');
    expect(await ada.lines(1)).toEqual(['Still here.']);
    await ada.isIn('live');
    expect(ada.sockets).toBe(1);
    expect(ada.complaints).toEqual([]);
  });
});

/** Somebody in front of the page, in a browser window of their own. */
class Visitor implements AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings of the console: ours, and those of the browser about what the policy forbids. */
  readonly complaints: string[] = [];
  /** How often a WebSocket was opened, and a session refreshed. */
  sockets = 0;
  refreshes = 0;
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('websocket', () => (this.sockets += 1));
    page.on('request', (request) => {
      if (request.postData()?.includes('refreshSession') === true) this.refreshes += 1;
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  static async signUp(browser: Browser, url: string, handle: string, displayName: string): Promise<Visitor> {
    const context = await browser.newContext();
    context.setDefaultTimeout(DEADLINE_MS);
    const page = await context.newPage();
    const visitor = new Visitor(context, page);
    page.on('dialog', (dialog) => dialog.accept());
    await page.goto(url);
    await page.getByLabel('Handle', { exact: true }).fill(handle);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByLabel('Display name').fill(displayName);
    await page.getByRole('button', { name: 'Create account' }).click();
    await visitor.isIn('live');
    return visitor;
  }

  async isIn(state: 'live' | 'waiting'): Promise<void> {
    await this.page.locator(`#status[data-state=${state}]`).waitFor();
  }

  async create(kind: string, name: string): Promise<void> {
    await this.page.locator('#creation summary').click();
    await this.page.getByLabel('Kind').selectOption(kind);
    await this.page.getByLabel('Handle or title').fill(name);
    await this.page.getByRole('button', { name: 'Create', exact: true }).click();
    await this.page.locator('#conversation').waitFor();
  }

  async join(title: string): Promise<void> {
    await this.page.locator('#directory summary').click();
    await this.page.locator('#channels li', { hasText: title }).getByRole('button', { name: 'Join' }).click();
  }

  async open(title: string): Promise<void> {
    await this.page.locator('#conversations li', { hasText: title }).getByRole('button').click();
  }

  async unreadOf(title: string): Promise<string | null> {
    return this.page.locator('#conversations li', { hasText: title }).locator('.badge').textContent();
  }

  async write(text: string): Promise<void> {
    const line = this.page.getByLabel('Message', { exact: true });
    await line.fill(text);
    await line.press('Enter');
  }

  async change(text: string, name: 'Edit' | 'Delete'): Promise<void> {
    const message = this.page.locator('#messages li', { hasText: text });
    await message.hover();
    await message.getByRole('button', { name: 'More' }).click();
    await this.page.getByRole('menuitem', { name }).click();
  }

  /** The texts of the messages, once there are that many. */
  async lines(count: number): Promise<readonly string[]> {
    await this.page.locator(`#messages li:nth-child(${count})`).waitFor();
    return (await this.page.locator('#messages li .body').allInnerTexts()).map((text) => text.trim());
  }

  async checked(): Promise<string | null> {
    return this.page.locator('#check').textContent();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}
