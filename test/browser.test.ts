import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isBrowserMissing, launchChromium } from './kit/chromium.ts';
import { createTestDatabase } from './kit/database.ts';
import { startTestServer } from './kit/server.ts';
import { DEADLINE_MS, Visitor } from './kit/visitor.ts';

// A browser and a server beside each other want a machine of their own; on a busy one each step takes its time.
vi.setConfig({ testTimeout: 120_000 });

const SECRET = 'the same for both lives of the server';

describe.skipIf(isBrowserMissing('The chat page'))('the chat page', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
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
    let [lost, abandoned] = [0, 0];
    await ada.page.route('**/graphql', async (route) => {
      if (lost > 1 || route.request().postData()?.includes('sendMessage') !== true) return route.continue();
      lost += 1;
      await route.fetch();
      await route.abort();
      abandoned += 1;
    });
    await ada.write('Once only.');
    await ada.write('And then.');
    expect(await ada.lines(2)).toEqual(['Once only.', 'And then.']);
    await expect.poll(() => abandoned, { timeout: DEADLINE_MS }).toBe(2);
    expect(await ada.lines(2)).toEqual(['Once only.', 'And then.']);
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

  test('when its access token expires the page goes on over a new socket, with a new one', async () => {
    const ttlMs = 7_000;
    await using server = await startTestServer({ config: { accessTokenTtlMs: ttlMs } });
    await using ada = await Visitor.signUp(browser, server.url, 'ada', 'Ada Lovelace');
    const expired = performance.now() + ttlMs;
    await ada.create('GROUP', 'Notes');
    await expect.poll(() => performance.now() > expired && ada.refreshes, { timeout: 2 * ttlMs }).toBe(1);
    await ada.write('Still here.');
    expect(await ada.lines(1)).toEqual(['Still here.']);
    await ada.isIn('live');
    expect(ada.sockets).toBeGreaterThan(1);
    expect(ada.complaints).toEqual([]);
  });
});
