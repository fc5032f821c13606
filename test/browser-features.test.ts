import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isBrowserMissing, launchChromium } from './kit/chromium.ts';
import { createTestDatabase } from './kit/database.ts';
import { Person } from './kit/person.ts';
import { startTestServer } from './kit/server.ts';
import { DEADLINE_MS, Visitor } from './kit/visitor.ts';

// A browser and a server beside each other want a machine of their own; on a busy one each step takes its time.
vi.setConfig({ testTimeout: 120_000 });

const SECRET = 'the same for both lives of the server';
const TIMEOUT = { timeout: DEADLINE_MS };
const IDLE_MS = 300_000;
/** Each would run if it were taken for markup. */
const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(2)>',
  '<script>alert(3)</script>',
  '\' autofocus onfocus=alert(4) x="',
  '</textarea><iframe srcdoc="<script>alert(5)</script>">',
];

describe.skipIf(isBrowserMissing('The chat page'))('the chat page', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
  });

  test('a thread is opened beside the conversation, written in, and grows and is counted on the other page at once', async () => {
    await using server = await startTestServer();
    const [ada, grace] = await server.people('ada', 'grace');
    const { id } = await ada.create({ title: 'Engines', members: [grace] });
    await ada.send(id, 'The loop?');
    await using hers = await Visitor.signIn(browser, server.url, ada.handle);
    await using theirs = await Visitor.signIn(browser, server.url, grace.handle);
    await Promise.all([hers.open('Engines'), theirs.open('Engines')]);

    await theirs.message('The loop?').hover();
    await theirs.message('The loop?').getByRole('button', { name: 'Reply' }).click();
    expect(await theirs.replies(1)).toEqual(['The loop?']);
    await theirs.writeReply('It has **seven** turns.');
    await hers.message('The loop?').getByRole('button', { name: '1 reply' }).click();
    await expect.poll(() => theirs.replies(2), TIMEOUT).toEqual(['The loop?', 'It has seven turns.']);
    expect(await hers.replies(2)).toEqual(['The loop?', 'It has seven turns.']);

    await hers.writeReply('Why?');
    expect(await theirs.replies(3)).toEqual(['The loop?', 'It has seven turns.', 'Why?']);
    await theirs.message('The loop?').getByRole('button', { name: '2 replies' }).waitFor();
    // Replies stand in their thread alone.
    expect(await hers.lines(1)).toEqual(['The loop?']);

    await hers.reply('Why?').hover();
    await hers.reply('Why?').getByRole('button', { name: 'More' }).click();
    await hers.page.getByRole('menuitem', { name: 'Delete' }).click();
    await theirs.message('The loop?').getByRole('button', { name: '1 reply' }).waitFor();
    await expect.poll(() => theirs.replies(3), TIMEOUT).toEqual(['The loop?', 'It has seven turns.', 'Message deleted']);
    await hers.page.keyboard.press('Escape');
    await expect.poll(() => hers.page.locator('#panel').isVisible()).toBe(false);
    expect([...hers.complaints, ...theirs.complaints]).toEqual([]);
  });

  test('a message is searched for, its place opened from the list, and what was found is marked in both', async () => {
    await using server = await startTestServer();
    const [ada] = await server.people('ada');
    const { id } = await ada.create({ title: 'Engines' });
    const { id: other } = await ada.create({ title: 'Kitchen' });
    await ada.send(id, `${'A long way. '.repeat(20)}The **Straße** is closed, die STRASSE!`);
    for (let number = 1; number <= 40; number += 1) await ada.send(id, `Number ${number}`);
    const root = await ada.send(other, 'Tea?');
    await ada.reply(other, root.id, 'On the strasse.');
    await using visitor = await Visitor.signIn(browser, server.url, ada.handle);
    const { page } = visitor;
    await page.getByRole('searchbox', { name: 'Search messages' }).fill('strasse');
    await page.keyboard.press('Enter');
    const found = page.locator('#panel-lines li');
    await expect.poll(() => found.count(), TIMEOUT).toBe(2);
    expect(await found.locator('mark').allTextContents()).toEqual(['strasse', 'Straße', 'STRASSE']);
    const marked = () =>
      page.evaluate(() => [...(CSS.highlights.get('found') ?? [])].map((range) => (range instanceof Range ? range.toString() : '')));
    await found.nth(1).getByRole('button').click();
    await visitor.message('A long way').waitFor();
    await expect.poll(marked, TIMEOUT).toEqual(['Straße', 'STRASSE']);
    await expect.poll(() => visitor.message('A long way').isVisible(), TIMEOUT).toBe(true);

    await page.getByRole('searchbox').fill('strasse in:kitchen');
    await page.keyboard.press('Enter');
    await expect.poll(() => found.count(), TIMEOUT).toBe(1);
    await found.getByRole('button').click();
    await visitor.reply('On the strasse.').waitFor();
    await expect.poll(marked, TIMEOUT).toEqual(['strasse']);

    await page.getByRole('searchbox').fill('nowhere before:never');
    await page.keyboard.press('Enter');
    await page.getByText('before: must be followed by a day such as 2026-01-31, got "never".').waitFor();
    await page.getByRole('searchbox').fill('nowhere');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing was found.').waitFor();
    expect(visitor.complaints).toEqual([]);
  });

  test('a long thread is read back to its first reply, and a reply whose answer is lost is written once', async () => {
    await using server = await startTestServer();
    const [ada] = await server.people('ada');
    const { id } = await ada.create({ title: 'Engines' });
    const root = await ada.send(id, 'Count!');
    for (let number = 1; number <= 35; number += 1) await ada.reply(id, root.id, `Number ${number}`);
    await using visitor = await Visitor.signIn(browser, server.url, ada.handle);
    await visitor.open('Engines');
    await visitor.message('Count!').getByRole('button', { name: '35 replies' }).click();
    expect((await visitor.replies(31))[1]).toBe('Number 6');
    await visitor.page.getByRole('button', { name: 'Load older replies' }).click();
    const numbers = Array.from({ length: 35 }, (_, index) => `Number ${index + 1}`);
    expect(await visitor.replies(36)).toEqual(['Count!', ...numbers]);

    let lost = 0;
    await visitor.page.route('**/graphql', async (route) => {
      if (lost > 0 || route.request().postData()?.includes('sendMessage') !== true) return route.continue();
      lost += 1;
      await route.fetch();
      return route.abort();
    });
    await visitor.writeReply('Once only.');
    await visitor.writeReply('And then.');
    await expect.poll(() => visitor.replies(38), TIMEOUT).toEqual(['Count!', ...numbers, 'Once only.', 'And then.']);
    await visitor.message('Count!').getByRole('button', { name: '37 replies' }).waitFor();
    expect(lost).toBe(1);
  });

  test('reactions are chosen with the keyboard alone, seen by the other at once with who it was, and taken away by a click', async () => {
    await using server = await startTestServer();
    const [ada, grace] = await server.people('ada', 'grace');
    const { id } = await ada.create({ kind: 'DIRECT', members: [grace] });
    await ada.send(id, 'It halts.');
    await using hers = await Visitor.signIn(browser, server.url, ada.handle);
    await using theirs = await Visitor.signIn(browser, server.url, grace.handle);
    await Promise.all([hers.open('grace'), theirs.open('ada')]);

    await theirs.message('It halts.').getByRole('button', { name: 'React' }).focus();
    await theirs.page.keyboard.press('Enter');
    await theirs.page.getByRole('menuitem', { name: 'thumbs up' }).waitFor();
    await theirs.page.keyboard.press('ArrowRight');
    await theirs.page.keyboard.press('Enter');

    const heart = hers.message('It halts.').getByRole('button', { name: '❤️ grace' });
    await heart.waitFor();
    expect([await heart.textContent(), await heart.getAttribute('aria-pressed')]).toEqual(['❤️1', 'false']);
    expect(await heart.getAttribute('title')).toBe('❤️ grace');
    await heart.click();
    const both = theirs.message('It halts.').getByRole('button', { name: '❤️ grace and ada' });
    await both.waitFor();
    expect([await both.textContent(), await both.getAttribute('aria-pressed')]).toEqual(['❤️2', 'true']);
    await both.click();
    await hers.message('It halts.').getByRole('button', { name: '❤️ ada' }).click();
    await expect.poll(() => theirs.message('It halts.').locator('.chip').count(), TIMEOUT).toBe(0);
    expect([...hers.complaints, ...theirs.complaints]).toEqual([]);
  });

  test('a conversation opens at what is new, is read when its end is in sight, and says so to the author', async () => {
    await using server = await startTestServer();
    const [ada, grace] = await server.people('ada', 'grace');
    const { id } = await ada.create({ kind: 'DIRECT', members: [grace] });
    for (let number = 1; number <= 90; number += 1) await ada.send(id, `Number ${number}.`);
    await grace.markRead(id, 30);
    await using hers = await Visitor.signIn(browser, server.url, ada.handle);
    await hers.open('grace');
    await using theirs = await Visitor.signIn(browser, server.url, grace.handle);
    await expect.poll(() => theirs.unreadOf('ada'), TIMEOUT).toBe('60');
    expect(await theirs.page.title()).toBe('(60) Rookery');
    await theirs.open('ada');
    const first = theirs.page.locator('#messages .new');
    await first.getByText('Number 31.', { exact: true }).waitFor();
    expect(await first.getByText('New since you were here').isVisible()).toBe(true);

    // The end has not been reached, so nothing is read. What comes now is counted, and stands behind what is yet to be loaded.
    await ada.send(id, 'Number 91.');
    await expect.poll(() => theirs.unreadOf('ada'), TIMEOUT).toBe('61');
    expect((await theirs.lines(1)).at(-1)).not.toBe('Number 91.');
    const more = theirs.page.getByRole('button', { name: 'Load newer messages' });
    await expect
      .poll(async () => {
        if (await more.isVisible()) await more.click();
        return (await theirs.lines(1)).at(-1);
      }, TIMEOUT)
      .toBe('Number 91.');
    const shown = await theirs.lines(1);
    expect(shown).toEqual(Array.from({ length: shown.length }, (_, index) => `Number ${91 - shown.length + index + 1}.`));
    expect(await hers.page.locator('#seen').textContent()).toBe('');
    await theirs.message('Number 91.').scrollIntoViewIfNeeded();
    await expect.poll(() => theirs.page.locator('.badge').count(), TIMEOUT).toBe(0);
    await expect.poll(() => hers.page.locator('#seen').textContent(), TIMEOUT).toBe('Seen');
    await expect.poll(() => theirs.page.title()).toBe('Rookery');
  });

  test('nothing is read behind a hidden tab; what is read or marked as unread shows on all of one’s devices', async () => {
    await using server = await startTestServer();
    const [ada, grace] = await server.people('ada', 'grace');
    const { id } = await ada.create({ title: 'Engines', members: [grace] });
    await ada.send(id, 'one');
    await using laptop = await Visitor.signIn(browser, server.url, grace.handle);
    await using phone = await Visitor.signIn(browser, server.url, grace.handle, { viewport: { width: 390, height: 844 } });
    await expect.poll(() => phone.unreadOf('Engines'), TIMEOUT).toBe('1');
    await laptop.open('Engines');
    await expect.poll(() => phone.page.locator('.badge').count(), TIMEOUT).toBe(0);

    await laptop.turn('hidden');
    await ada.send(id, 'two');
    await expect.poll(() => phone.unreadOf('Engines'), TIMEOUT).toBe('1');
    expect(await laptop.lines(2)).toEqual(['one', 'two']);
    await expect.poll(() => laptop.unreadOf('Engines'), TIMEOUT).toBe('1');
    expect(await laptop.page.locator('#messages .new .body').innerText()).toBe('two');
    await laptop.turn('visible');
    await expect.poll(() => phone.page.locator('.badge').count(), TIMEOUT).toBe(0);

    await laptop.change('one', 'Mark unread from here');
    await expect.poll(() => phone.unreadOf('Engines'), TIMEOUT).toBe('2');
    await expect.poll(() => laptop.unreadOf('Engines'), TIMEOUT).toBe('2');
    // It stays so, though the page looks at it: also when something is added.
    await ada.send(id, 'three');
    await expect.poll(() => laptop.unreadOf('Engines'), TIMEOUT).toBe('3');
    await phone.open('Engines');
    await expect.poll(() => laptop.page.locator('.badge').count(), TIMEOUT).toBe(0);
    expect([...laptop.complaints, ...phone.complaints]).toEqual([]);
  });

  test('a mention is set off, counted even in a thread, and found again in the list that leads to it', async () => {
    await using server = await startTestServer();
    const [ada, grace] = await server.people('ada', 'grace');
    const { id } = await ada.create({ title: 'Engines', members: [grace] });
    const root = await ada.send(id, 'Plans');
    await using theirs = await Visitor.signIn(browser, server.url, grace.handle);
    await theirs.open('Engines');
    await theirs.lines(1);
    await ada.send(id, `Ask @${grace.handle}. Or @${ada.handle}, not \`@${grace.handle}\`, nor @nobody.`);
    await theirs.lines(2);
    expect(await theirs.page.locator('#messages .mention.own').allInnerTexts()).toEqual([`@${grace.handle}`]);
    expect(await theirs.page.locator('#messages .mention').allInnerTexts()).toEqual([`@${grace.handle}`, `@${ada.handle}`]);

    await theirs.page.getByRole('button', { name: 'Mentions' }).click();
    await expect.poll(() => theirs.page.locator('#panel-lines .excerpt').count(), TIMEOUT).toBe(1);
    await ada.reply(id, root.id, `And @${grace.handle} in here`);
    await expect.poll(() => theirs.unreadOf('Engines'), TIMEOUT).toBe('1');
    await ada.send(id, 'Here, too');
    await theirs.lines(3);
    // The line is where it was at the opening: a mention in a thread begins no other.
    expect(await theirs.page.locator('#messages .new .body').allInnerTexts()).toEqual(['Plans']);
    await ada.reply(id, root.id, `Once more, @${grace.handle}`);
    await expect.poll(() => theirs.unreadOf('Engines'), TIMEOUT).toBe('1');
    await theirs.page.locator('#panel-lines li', { hasText: 'And' }).getByRole('button').click();
    expect(await theirs.replies(3)).toEqual(['Plans', `And @${grace.handle} in here`, `Once more, @${grace.handle}`]);
    await expect.poll(() => theirs.page.locator('.badge').count(), TIMEOUT).toBe(0);
    expect(theirs.complaints).toEqual([]);
  });

  test('a message is pinned and unpinned for everybody, and the list of pinned ones leads far back', async () => {
    await using server = await startTestServer();
    const [ada, grace] = await server.people('ada', 'grace');
    const { id } = await ada.create({ title: 'Engines', members: [grace] });
    const old = await ada.send(id, 'The very first');
    for (let number = 1; number <= 60; number += 1) await ada.send(id, `Number ${number}.`);
    await ada.markRead(id, 61);
    await grace.markRead(id, 61);
    await grace.pin(old.id);
    await using hers = await Visitor.signIn(browser, server.url, ada.handle);
    await using theirs = await Visitor.signIn(browser, server.url, grace.handle);
    await Promise.all([hers.open('Engines'), theirs.open('Engines')]);
    await theirs.page.getByRole('button', { name: 'Pinned' }).click();
    const pinned = () => theirs.page.locator('#panel-lines .excerpt').allInnerTexts();
    await expect.poll(pinned, TIMEOUT).toEqual(['The very first']);
    await hers.lines(30);
    await hers.change('Number 60.', 'Pin');
    await expect.poll(pinned, TIMEOUT).toEqual(['Number 60.', 'The very first']);
    await theirs.message('Number 60.').locator('.pinned').waitFor();

    await theirs.page.locator('#panel-lines li', { hasText: 'The very first' }).getByRole('button').click();
    await expect.poll(async () => (await theirs.lines(1))[0], TIMEOUT).toBe('The very first');
    await theirs.change('The very first', 'Unpin');
    await expect.poll(pinned, TIMEOUT).toEqual(['Number 60.']);
    await hers.change('Number 60.', 'Unpin');
    await theirs.page.getByText('Nothing is pinned here.').waitFor();
    expect([...hers.complaints, ...theirs.complaints]).toEqual([]);
  });

  test('who is typing is shown while they are, in the list as well, and ends by clearing, by sending, and by itself', async () => {
    await using server = await startTestServer({ presenceTimes: { typingMs: 4_000 } });
    const [ada, grace, alan] = await server.people('ada', 'grace', 'alan');
    const { id } = await ada.create({ title: 'Engines', members: [grace, alan] });
    await using hers = await Visitor.signIn(browser, server.url, ada.handle);
    await using theirs = await Visitor.signIn(browser, server.url, grace.handle);
    await Promise.all([hers.open('Engines'), theirs.open('Engines')]);
    const typing = () => hers.page.locator('#typing').textContent();
    const line = theirs.page.getByLabel('Message', { exact: true });

    let told = 0;
    theirs.page.on('request', (request) => {
      if (request.postData()?.includes('"isTyping":true') === true) told += 1;
    });
    await line.pressSequentially('Hello');
    await expect.poll(typing, TIMEOUT).toBe('grace is typing…');
    // Not once for each letter.
    expect(told).toBeLessThan(5);
    await hers.page.locator('#conversations .preview', { hasText: 'grace is typing…' }).waitFor();
    await line.fill('');
    await expect.poll(typing, TIMEOUT).toBe('');

    await line.pressSequentially('Well');
    await expect.poll(typing, TIMEOUT).toBe('grace is typing…');
    await line.press('Enter');
    await hers.lines(1);
    await expect.poll(typing, TIMEOUT).toBe('');
    expect(await theirs.page.locator('#typing').textContent()).toBe('');

    await Promise.all([alan.setTyping(id), grace.setTyping(id)]);
    await expect.poll(typing, TIMEOUT).toMatch(/^(grace and alan|alan and grace) are typing…$/);
    await expect.poll(typing, TIMEOUT).toBe('');
    expect([...hers.complaints, ...theirs.complaints]).toEqual([]);
  });

  test('a dot says who is there: away behind a hidden tab and after five idle minutes, back at the first touch, gone with the page', async () => {
    await using server = await startTestServer({ presenceTimes: { graceMs: 500, sweepMs: 200 } });
    const [ada, grace] = await server.people('ada', 'grace');
    await ada.create({ kind: 'DIRECT', members: [grace] });
    await using hers = await Visitor.signIn(browser, server.url, ada.handle);
    const dot = () => hers.page.locator('#conversations li', { hasText: 'grace' }).locator('.presence').getAttribute('aria-label');
    expect(await dot()).toBe('offline');
    {
      await using theirs = await Visitor.signIn(browser, server.url, grace.handle, { hasClock: true });
      await expect.poll(dot, TIMEOUT).toBe('online');
      await hers.open('grace');
      await hers.page.getByRole('button', { name: 'Members' }).click();
      const inList = hers.page.locator('#panel-lines li', { hasText: 'grace' }).locator('.presence');
      await expect.poll(() => inList.getAttribute('aria-label'), TIMEOUT).toBe('online');

      await theirs.turn('hidden');
      await expect.poll(dot, TIMEOUT).toBe('away');
      expect(await inList.getAttribute('aria-label')).toBe('away');
      await theirs.turn('visible');
      await expect.poll(dot, TIMEOUT).toBe('online');
      await theirs.page.clock.fastForward(IDLE_MS);
      await expect.poll(dot, TIMEOUT).toBe('away');
      await theirs.page.mouse.move(100, 100);
      await theirs.page.mouse.move(120, 120);
      await expect.poll(dot, TIMEOUT).toBe('online');
    }
    await expect.poll(dot, TIMEOUT).toBe('offline');
    expect(hers.complaints).toEqual([]);
  });

  test('when the server was away everything is as it was and goes on: threads, reactions, what is unread, who is there', async () => {
    await using database = await createTestDatabase();
    const first = await startTestServer({ database, config: { secret: SECRET } });
    const { port } = first.app;
    const [ada, grace] = await first.people('ada', 'grace');
    const { id } = await ada.create({ kind: 'DIRECT', members: [grace] });
    const root = await ada.send(id, 'Root');
    await grace.reply(id, root.id, 'Reply one');
    await grace.react(root.id, '👍');
    await using hers = await Visitor.signIn(browser, first.url, ada.handle);
    await using theirs = await Visitor.signIn(browser, first.url, grace.handle);
    await Promise.all([hers.open('grace'), theirs.open('ada')]);
    await hers.message('Root').getByRole('button', { name: '1 reply' }).click();
    await hers.replies(2);
    await theirs.lines(1);
    await expect.poll(() => hers.page.locator('#seen').textContent(), TIMEOUT).toBe('Seen');
    await theirs.turn('hidden');

    await first[Symbol.asyncDispose]();
    await Promise.all([hers.isIn('waiting'), theirs.isIn('waiting')]);
    await hers.writeReply('Reply two, into the void');
    await using second = await startTestServer({ database, config: { secret: SECRET, port } });
    await Promise.all([hers.isIn('live'), theirs.isIn('live')]);
    await ada.at(second.url).react(root.id, '👍');
    await ada.at(second.url).send(id, 'After all');

    expect(await hers.replies(3)).toEqual(['Root', 'Reply one', 'Reply two, into the void']);
    await theirs.message('Root').getByRole('button', { name: '2 replies' }).waitFor();
    await theirs.message('Root').getByRole('button', { name: '👍 grace and ada' }).waitFor();
    expect(await theirs.lines(2)).toEqual(['Root', 'After all']);
    await expect.poll(() => theirs.unreadOf('ada'), TIMEOUT).toBe('1');
    const dot = () => hers.page.locator('#conversations .presence').getAttribute('aria-label');
    await expect.poll(dot, TIMEOUT).toBe('away');
    await theirs.turn('visible');
    await expect.poll(() => hers.page.locator('#seen').textContent(), TIMEOUT).toBe('Seen');
    await expect.poll(dot, TIMEOUT).toBe('online');
    expect(await hers.checked()).toContain(', 0 gaps');
  });

  test('what somebody calls themselves, reacts with or writes is text wherever it is shown', async () => {
    await using server = await startTestServer();
    const [ada] = await server.people('ada');
    const others = await Promise.all(HOSTILE.map((name, index) => Person.signUp(server.url, `hostile_${index}`, name)));
    const { id } = await ada.create({ title: HOSTILE[0] ?? '', members: others });
    const root = await ada.send(id, HOSTILE.join('\n\n'));
    for (const [index, each] of HOSTILE.entries()) await others[index]?.reply(id, root.id, `@${ada.handle} ${each}`);
    for (const other of others) await other.react(root.id, ':hostile:');
    await ada.pin(root.id);
    await using visitor = await Visitor.signIn(browser, server.url, ada.handle);
    // The server takes no such emoji; the page relies on nothing but itself.
    await visitor.page.route('**/graphql', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replaceAll(':hostile:', JSON.stringify(HOSTILE[0]).slice(1, -1)) });
    });
    await visitor.open(HOSTILE[0] ?? '');
    await visitor.message('alert(3)').locator('.chip').waitFor();
    expect(await visitor.message('alert(3)').locator('.glyph').innerText()).toBe(HOSTILE[0]);
    await visitor.message('alert(3)').getByRole('button', { name: '5 replies' }).click();
    expect((await visitor.replies(6)).slice(1)).toEqual(HOSTILE.map((each) => `@${ada.handle} ${each}`));
    await Promise.all(others.map((other) => other.setTyping(id)));
    await visitor.page.locator('#typing', { hasText: 'Several people are typing' }).waitFor();
    await visitor.page.getByRole('button', { name: 'Mentions' }).click();
    await visitor.page.locator('#panel-lines li:nth-child(5)').waitFor();
    await visitor.page.getByRole('button', { name: 'Members' }).click();
    await visitor.page.locator('#panel-lines li:nth-child(6)').waitFor();
    await visitor.page.getByRole('button', { name: 'Pinned' }).click();
    await visitor.page.locator('#panel-lines .excerpt').waitFor();
    expect(await visitor.page.locator('#app :is(img, svg, script, iframe)').count()).toBe(0);
    expect(await visitor.page.locator('#app [onerror], #app [onload], #app [onfocus]').count()).toBe(0);
    expect(visitor.complaints).toEqual([]);
  });
});
