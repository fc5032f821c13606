import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { PASSWORD } from './person.ts';

export const DEADLINE_MS = 30_000;

export type VisitorOptions = Pick<BrowserContextOptions, 'viewport'> & { readonly hasClock?: boolean };

/** Somebody in front of the page, in a browser window of their own. */
export class Visitor implements AsyncDisposable {
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
    const visitor = await Visitor.#atTheDoor(browser, url, handle, {});
    await visitor.page.getByLabel('Display name').fill(displayName);
    await visitor.page.getByRole('button', { name: 'Create account' }).click();
    await visitor.isIn('live');
    return visitor;
  }

  /** Somebody who has an account, made by the API or in another window. With `hasClock` the time of the page can be put forward. */
  static async signIn(browser: Browser, url: string, handle: string, options: VisitorOptions = {}): Promise<Visitor> {
    const visitor = await Visitor.#atTheDoor(browser, url, handle, options);
    await visitor.page.getByRole('button', { name: 'Sign in' }).click();
    await visitor.isIn('live');
    return visitor;
  }

  static async #atTheDoor(
    browser: Browser,
    url: string,
    handle: string,
    { hasClock = false, ...options }: VisitorOptions,
  ): Promise<Visitor> {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(DEADLINE_MS);
    if (hasClock) await context.clock.install();
    const page = await context.newPage();
    const visitor = new Visitor(context, page);
    page.on('dialog', (dialog) => dialog.accept());
    await page.goto(url);
    await page.getByLabel('Handle', { exact: true }).fill(handle);
    await page.getByLabel('Password').fill(PASSWORD);
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

  /** A message of the open conversation, by its text. */
  message(text: string): Locator {
    return this.page.locator('#messages > li', { hasText: text });
  }

  /** A message of the open thread, the root as well. */
  reply(text: string): Locator {
    return this.page.locator('#panel-lines > li', { hasText: text });
  }

  async change(text: string, name: string): Promise<void> {
    const message = this.message(text);
    await message.hover();
    await message.getByRole('button', { name: 'More' }).click();
    await this.page.getByRole('menuitem', { name }).click();
  }

  /** The texts of the messages, once there are that many. */
  async lines(count: number): Promise<readonly string[]> {
    await this.page.locator(`#messages > li:nth-child(${count})`).waitFor();
    return (await this.page.locator('#messages > li .body').allInnerTexts()).map((text) => text.trim());
  }

  async writeReply(text: string): Promise<void> {
    const line = this.page.getByLabel('Reply in the thread');
    await line.fill(text);
    await line.press('Enter');
  }

  /** The texts of the open thread, the root's first, once there are that many. */
  async replies(count: number): Promise<readonly string[]> {
    await this.page.locator(`#panel-lines > li:nth-child(${count})`).waitFor();
    return (await this.page.locator('#panel-lines > li .body').allInnerTexts()).map((text) => text.trim());
  }

  /** As if another tab came to the front, or this one again. */
  async turn(visibilityState: 'hidden' | 'visible'): Promise<void> {
    // As text: what runs in the page knows a document, what is here does not.
    await this.page.evaluate(`{
      Object.defineProperty(document, 'visibilityState', { get: () => '${visibilityState}', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }`);
  }

  async checked(): Promise<string | null> {
    return this.page.locator('#check').textContent();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}
