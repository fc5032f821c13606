import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NodePair } from './kit/node-pair.ts';
import type { Following, Person } from './kit/person.ts';
import { type OwnRedis, startOwnRedis } from './kit/redis.ts';
import type { ServerProcess } from './kit/server-process.ts';
import { until } from './kit/until.ts';
import type { SocketMessage } from './kit/ws-client.ts';

const redis = await startOwnRedis();
const TIMEOUT_MS = 60_000;
/** Promised are 1.5 s; a busy machine may be late, which is no matter of ours. */
const DEADLINE_MS = 15_000;
/** Longer than a node believes what it checked. */
const ASLEEP_MS = 2_000;
let pair: NodePair | null = null;
beforeAll(async () => {
  if (redis !== null) pair = await NodePair.start({ redis });
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

type News = 'comes late' | 'is lost';

/** Ada and Cy in front of one node, Ben of the other, which falls asleep. */
class Scene {
  readonly ada: Person;
  readonly ben: Person;
  readonly cy: Person;
  readonly id: string;
  readonly #pair: NodePair;
  readonly #redis: OwnRedis;

  private constructor(pair: NodePair, own: OwnRedis, [ada, ben, cy]: readonly [Person, Person, Person], id: string) {
    this.#pair = pair;
    this.#redis = own;
    this.ada = ada;
    this.ben = ben;
    this.cy = cy;
    this.id = id;
  }

  static async start(): Promise<Scene> {
    if (pair === null || redis === null) throw new Error('There must be a Redis.');
    const [ada, there, cy] = await pair.people('ada', 'ben', 'cy');
    const ben = there.at(pair.nodes[1].url);
    const { id } = await ada.create({ members: [ben, cy] });
    return new Scene(pair, redis, [ada, ben, cy], id);
  }

  get awake(): ServerProcess {
    return this.#pair.nodes[0];
  }

  get asleep(): ServerProcess {
    return this.#pair.nodes[1];
  }

  /** What is done while the node sleeps, and after it what only those who are still there may know. */
  async whileAsleep(news: News, action: () => Promise<unknown>): Promise<void> {
    this.asleep.sleep();
    if (news === 'is lost') await this.#redis.kill();
    await action();
    if (news === 'is lost') {
      await this.#redis.start();
      await this.#untilReady(this.awake);
    }
    await this.cy.setTyping(this.id);
    await this.cy.setPresence('AWAY');
    await sleep(ASLEEP_MS);
  }

  /** Once the node hears the other again: what is told then is not told to those who were removed either. */
  async untilHeard(): Promise<void> {
    await this.#untilReady(this.asleep);
    await using following = await this.ada.at(this.asleep.url).follow(this.id);
    await this.ada.send(this.id, 'still among ourselves');
    await this.cy.setTyping(this.id, false);
    await this.cy.setTyping(this.id);
    await following.next(DEADLINE_MS);
    await following.signal('TypingChanged', DEADLINE_MS);
  }

  async #untilReady({ url }: ServerProcess): Promise<void> {
    await until(
      async () => (await fetch(`${url}/readyz`)).text(),
      (text) => text === 'ready\n',
      DEADLINE_MS,
    );
  }
}

/** Everything that came to a socket that is closed. */
async function leftOf({ socket }: Following): Promise<readonly SocketMessage[]> {
  const messages: SocketMessage[] = [];
  for (;;) {
    try {
      messages.push(await socket.next());
    } catch {
      return messages;
    }
  }
}

describe.skipIf(redis === null).each(['comes late', 'is lost'] as const)('a node that is asleep while the news %s', (news) => {
  test('keeps from the removed what follows their removal', { timeout: TIMEOUT_MS }, async () => {
    const scene = await Scene.start();
    const { ada, ben, id } = scene;
    await using following = await ben.follow(id);
    await using all = await ben.followAll();
    await scene.whileAsleep(news, async () => {
      await ada.remove(id, ben);
      await ada.send(id, 'among ourselves');
    });
    const answers = [ben.ask('query ($id: ID!) { conversation(id: $id) { title } }', { id }), ben.send(id, 'let me in').catch(String)];
    scene.asleep.wake();
    expect(await Promise.all(answers)).toEqual([{ conversation: null }, expect.stringContaining('NOT_FOUND')]);
    for (const each of [following, all]) {
      const { signals, event } = await each.signalsUntilNext(DEADLINE_MS);
      expect(event).toMatchObject({ __typename: 'MemberChanged', memberChange: 'REMOVED', user: { id: ben.id } });
      expect(signals.filter(({ isTyping, presence }) => isTyping !== undefined || presence === 'AWAY')).toEqual([]);
    }
    await following.socket.completionOf('events');
    await scene.untilHeard();
    await following.socket.expectNothing();
    await all.socket.expectNothing();
  });

  test('closes the sockets of who signed out elsewhere, and tells them nothing before', { timeout: TIMEOUT_MS }, async () => {
    const scene = await Scene.start();
    const { ben, cy, id } = scene;
    await using following = await ben.follow(id);
    await scene.whileAsleep(news, () => ben.at(scene.awake.url).ask('mutation { signOut(input: {}) { user { id } } }'));
    // Asked of the very node, so that nothing but its own checks stands between the signal and the socket.
    const typing = cy.at(scene.asleep.url).setTyping(id);
    scene.asleep.wake();
    expect(await following.socket.closeCode(DEADLINE_MS)).toBe(4403);
    await typing;
    expect(JSON.stringify(await leftOf(following))).not.toMatch(/TypingChanged|AWAY/);
  });
});
