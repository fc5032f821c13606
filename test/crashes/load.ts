import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/seed/random.ts';
import type { Person } from '../kit/person.ts';
import { contentNumbered } from '../proof/content.ts';
import { someChange } from '../proof/some-change.ts';
import { type Place, type Sent, sequenceOf, type Witness } from '../proof/witness.ts';

export type LoadOptions = {
  readonly witness: Witness;
  readonly random: Random;
  /** The server as it is now. */
  readonly place: () => Place;
  /** The first of them owns the conversation, the last comes and goes; all others write and change what they wrote. */
  readonly people: readonly Person[];
  readonly conversation: string;
};

const RETRY_MS = 20;
const PAUSE_MS = 3;
/** Of those a writer knows, the newest may be changed. */
const RECENT_MAX = 30;

/** People who write and change all the time, each one thing after the other. What was sent is sent again until it is answered. */
export class Load implements AsyncDisposable {
  readonly #options: LoadOptions;
  readonly #running: Promise<void>[];
  #isRunning = true;
  #contents = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    const [owner, ...others] = options.people;
    const guest = others.pop();
    if (owner === undefined || guest === undefined) throw new Error('There must be an owner, who writes, and a guest.');
    this.#running = [...others.map((person) => this.#write(person)), this.#moveMembers(owner, guest)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#running);
  }

  async #write(person: Person): Promise<void> {
    const { random } = this.#options;
    const known: string[] = [];
    while (this.#isRunning) {
      const sent = await this.#sendSurely(person);
      if (sent !== null) known.push(sent.id);
      if (known.length > RECENT_MAX) known.shift();
      if (known.length > 0 && random.chance(0.5)) await this.#touch(person, random.one(known), known);
      await sleep(PAUSE_MS);
    }
  }

  async #sendSurely(person: Person): Promise<Sent | null> {
    const { witness, place, conversation } = this.#options;
    const sending = { conversation, key: randomUUID(), content: this.#content() };
    for (;;) {
      const answer = await witness.send(place(), person, sending);
      if (answer.outcome === 'acknowledged') return answer;
      if (answer.outcome === 'refused') {
        witness.wrong.push(`A send was refused: ${answer.code}`);
        return null;
      }
      await sleep(RETRY_MS);
    }
  }

  /** Once: what became of it without an answer is left open. */
  async #touch(person: Person, message: string, known: string[]): Promise<void> {
    const { witness, random, place, conversation } = this.#options;
    const change = someChange(random, message, { isAuthor: true, content: this.#content() });
    if (change.change === 'delete') known.splice(known.indexOf(message), 1);
    const { outcome } = await witness.change(place(), person, { ...change, conversation });
    if (outcome === 'unknown') await sleep(RETRY_MS);
    if (random.chance(0.2)) await witness.markRead(place(), person, conversation, random.whole(0, sequenceOf(message) >> 1));
  }

  async #moveMembers(owner: Person, guest: Person): Promise<void> {
    const { witness, random, place, conversation } = this.#options;
    const common = { conversation, user: guest.id };
    const remove = {
      ...common,
      change: 'remove',
      mutation: 'removeMember',
      input: { conversationId: conversation, userId: guest.id },
    } as const;
    const leave = { ...common, change: 'leave', mutation: 'leaveConversation', input: { conversationId: conversation } } as const;
    const add = {
      ...common,
      change: 'join',
      mutation: 'addMembers',
      input: { conversationId: conversation, userIds: [guest.id] },
    } as const;
    while (this.#isRunning) {
      if (random.chance(0.5)) await witness.change(place(), owner, remove);
      else await witness.change(place(), guest, leave);
      const { outcome } = await witness.change(place(), owner, add);
      await sleep(outcome === 'unknown' ? RETRY_MS : PAUSE_MS);
    }
  }

  #content(): string {
    this.#contents += 1;
    return contentNumbered(this.#contents);
  }
}
