import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '../../src/seed/random.ts';
import type { Person } from '../kit/person.ts';
import { contentNumbered } from '../proof/content.ts';
import { someChange } from '../proof/some-change.ts';
import type { Changing, Place, Witness } from '../proof/witness.ts';

export type CrowdOptions = {
  readonly witness: Witness;
  readonly seed: number;
  readonly places: readonly [Place, Place];
  readonly writers: readonly Person[];
  /** They come into the group and the channel, and leave or are removed. */
  readonly guests: readonly Person[];
  readonly group: string;
  readonly channel: string;
};

const RETRY_MS = 50;
const WRITER_PAUSE_MS = [40, 160] as const;
const GUEST_PAUSE_MS = [200, 900] as const;
/** Messages that anybody may react to. */
const RECENT_MAX = 40;

type Known = { readonly id: string; readonly author: Person; readonly position: number };

/** People who write, change, read and mark, come and go, each one thing after the other, at either node. What is sent is sent until it is answered. */
export class Crowd implements AsyncDisposable {
  readonly #options: CrowdOptions;
  readonly #recent = new Map<string, Known[]>();
  readonly #running: readonly Promise<void>[];
  #isRunning = true;
  #contents = 0;

  constructor(options: CrowdOptions) {
    const { writers, guests, group, channel, seed } = options;
    this.#options = options;
    const [owner] = writers;
    if (owner === undefined) throw new Error('There must be an owner of the group.');
    this.#running = [
      ...writers.map((person, index) => this.#write(person, [group, channel], createRandom(seed, 1_000 + index))),
      ...guests.map((person, index) => this.#comeAndGo(person, owner, createRandom(seed, 2_000 + index), group, channel)),
    ];
  }

  /** Resolves when the last of what was begun is answered. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#running);
  }

  async #write(person: Person, conversations: readonly string[], random: Random): Promise<void> {
    const { witness } = this.#options;
    while (this.#isRunning) {
      const conversation = random.one(conversations);
      const place = this.#somewhere(random);
      await this.#send(person, conversation, random);
      if (random.chance(0.4)) await this.#touch(person, conversation, random);
      if (random.chance(0.15)) await witness.read(place, person, conversation);
      if (random.chance(0.1)) await this.#mark(person, conversation, random);
      if (random.chance(0.1)) await witness.signal(place, person, 'setTyping', { conversationId: conversation, isTyping: true });
      await sleep(random.whole(...WRITER_PAUSE_MS));
    }
  }

  async #comeAndGo(person: Person, owner: Person, random: Random, group: string, channel: string): Promise<void> {
    const { witness } = this.#options;
    while (this.#isRunning) {
      const conversation = random.one([group, channel]);
      const common = { conversation, user: person.id };
      const input = { conversationId: conversation };
      if (conversation === channel) await this.#change(person, { ...common, change: 'join', mutation: 'joinChannel', input }, random);
      else
        await this.#change(owner, { ...common, change: 'join', mutation: 'addMembers', input: { ...input, userIds: [person.id] } }, random);
      await sleep(random.whole(...GUEST_PAUSE_MS));
      await this.#send(person, conversation, random);
      await witness.read(this.#somewhere(random), person, conversation);
      if (random.chance(0.5)) await this.#change(person, { ...common, change: 'leave', mutation: 'leaveConversation', input }, random);
      else
        await this.#change(
          owner,
          { ...common, change: 'remove', mutation: 'removeMember', input: { ...input, userId: person.id } },
          random,
        );
      await witness.read(this.#somewhere(random), person, conversation);
      await sleep(random.whole(...GUEST_PAUSE_MS));
    }
  }

  /** Under one key until it is answered, at the other node each time. */
  async #send(person: Person, conversation: string, random: Random): Promise<void> {
    const { witness, places } = this.#options;
    const roots = this.#recent.get(conversation) ?? [];
    const threadRoot = roots.length > 0 && random.chance(0.1) ? random.one(roots).id : undefined;
    const sending = { conversation, key: randomUUID(), content: this.#content(), ...(threadRoot === undefined ? {} : { threadRoot }) };
    for (let turn = random.whole(0, 1); ; turn += 1) {
      const answer = await witness.send(places[turn % 2 === 0 ? 0 : 1], person, sending);
      if (answer.outcome === 'refused') return; // Of who has gone; the checker judges that.
      if (answer.outcome === 'acknowledged') {
        if (threadRoot === undefined) roots.push({ id: answer.id, author: person, position: answer.position });
        if (roots.length > RECENT_MAX) roots.shift();
        this.#recent.set(conversation, roots);
        return;
      }
      await sleep(RETRY_MS);
    }
  }

  async #touch(person: Person, conversation: string, random: Random): Promise<void> {
    const recent = this.#recent.get(conversation) ?? [];
    if (recent.length === 0) return;
    const message = random.one(recent);
    const isAuthor = message.author === person;
    const change = someChange(random, message.id, { isAuthor, content: this.#content() });
    if (change.change === 'delete') recent.splice(recent.indexOf(message), 1);
    await this.#change(person, { ...change, conversation }, random);
  }

  async #mark(person: Person, conversation: string, random: Random): Promise<void> {
    const recent = this.#recent.get(conversation) ?? [];
    if (recent.length > 0) await this.#options.witness.markRead(this.#somewhere(random), person, conversation, random.one(recent).position);
  }

  /** Once: what became of it without an answer is left open. */
  async #change(person: Person, changing: Changing, random: Random): Promise<void> {
    const { outcome } = await this.#options.witness.change(this.#somewhere(random), person, changing);
    if (outcome === 'unknown') await sleep(RETRY_MS);
  }

  #somewhere(random: Random): Place {
    return random.one(this.#options.places);
  }

  #content(): string {
    this.#contents += 1;
    return contentNumbered(this.#contents);
  }
}
