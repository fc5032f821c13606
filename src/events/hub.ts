import type { ConversationRef } from '../conversations/conversation.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { Freshness } from '../platform/freshness.ts';
import type { Logger } from '../platform/logger.ts';
import type { Bus, ConversationNews, SignalNews } from './bus.ts';
import type { ChangeReader } from './change-reader.ts';
import { Topic, type TopicListener } from './topic.ts';

/** What follows one person's affairs. */
export type PersonListener = {
  readonly userKey: number;
  /** Something that concerns the person may have changed: look. */
  onPersonNews(): void;
  /** Everything below transaction `xmin` has been told, and the person's inbox was at `inboxSequence`. */
  onVerified(xmin: number, inboxSequence: number): void;
  /** The server stops. */
  onStop(): void;
};

export type HubDependencies = {
  readonly reader: Pick<ChangeReader, 'round' | 'heads' | 'check'>;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly clock?: Pick<Clock, 'monotonic'>;
  /** Whether those who are connected have been looked at as recently; `onCurrent` is to be called when they are again. */
  readonly areViewersCurrent?: () => boolean;
  readonly checkIntervalMs?: number;
  /** How long a conversation without listeners is kept, so that a reconnect finds it. */
  readonly lingerMs?: number;
};

type Entry = { readonly topic: Promise<Topic>; users: number; linger: NodeJS.Timeout | undefined; close: () => void };
type Person = { readonly listeners: Set<PersonListener>; readonly unsubscribe: Promise<() => void> };

/**
 * The news of all conversations and persons that somebody on this node follows. The bus brings it; about once a second one statement
 * compares with the database, so that nothing lost on the way stays lost.
 */
export class Hub {
  readonly #dependencies: Required<HubDependencies>;
  /** Nothing can have been revoked that the node does not know of and still serves. */
  readonly #freshness: Freshness;
  readonly #entries = new Map<number, Entry>();
  readonly #ready = new Map<number, Topic>();
  readonly #persons = new Map<number, Person>();
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | null = null;
  #checkAgain = false;
  /** Who has begun to follow something since the check under way was begun, which does not look at that. */
  #newcomers = new Set<object>();
  #isStopped = false;

  constructor(dependencies: HubDependencies) {
    this.#dependencies = { clock: systemClock, areViewersCurrent: () => true, checkIntervalMs: 1_000, lingerMs: 10_000, ...dependencies };
    this.#freshness = new Freshness(this.#dependencies.clock);
    this.#schedule();
  }

  get conversations(): number {
    return this.#entries.size;
  }

  /** Whether signals may be told now: changes are in a chain and meet a removal before anything after it, signals are not. */
  isCurrent(): boolean {
    const isCurrent = this.#freshness.isCurrent();
    // Not in one line with the above: both have to hear that they were asked in vain.
    const areViewersCurrent = this.#dependencies.areViewersCurrent();
    return isCurrent && areViewersCurrent;
  }

  /** Signals that waited may go, where nothing else stands in the way. */
  onCurrent(): void {
    for (const { listeners } of this.#ready.values()) for (const listener of listeners) listener.onCurrent();
  }

  /** Listens to conversations: first to their news, then their heads are read, in one statement, so that nothing falls between. */
  async join(conversations: readonly ConversationRef[], listener: TopicListener): Promise<readonly Topic[]> {
    const fresh = conversations.filter(({ key }) => !this.#entries.has(key));
    if (fresh.length > 0) this.#open(fresh);
    const entries = conversations.map(({ key }) => this.#entry(key));
    for (const entry of entries) {
      entry.users += 1;
      clearTimeout(entry.linger);
    }
    try {
      const topics = await Promise.all(entries.map((entry) => entry.topic));
      for (const topic of topics) topic.listeners.add(listener);
      this.#newcomers.add(listener);
      return topics;
    } catch (error) {
      for (const [index, { key }] of conversations.entries()) this.#leave(key, entries[index]);
      throw error;
    }
  }

  leave(topic: Topic, listener: TopicListener): void {
    if (!topic.listeners.delete(listener)) return;
    const entry = this.#entries.get(topic.conversation.key);
    if (entry !== undefined) this.#leave(topic.conversation.key, entry);
  }

  async joinPerson(listener: PersonListener): Promise<void> {
    const known = this.#persons.get(listener.userKey);
    if (known !== undefined) {
      known.listeners.add(listener);
      await known.unsubscribe;
      return;
    }
    const listeners = new Set([listener]);
    const tell = () => {
      for (const each of listeners) each.onPersonNews();
    };
    const unsubscribe = this.#dependencies.bus.onPerson(listener.userKey, tell);
    this.#persons.set(listener.userKey, { listeners, unsubscribe });
    await unsubscribe;
  }

  leavePerson(listener: PersonListener): void {
    const person = this.#persons.get(listener.userKey);
    if (person === undefined || !person.listeners.delete(listener) || person.listeners.size > 0) return;
    this.#persons.delete(listener.userKey);
    person.unsubscribe.then((unsubscribe) => unsubscribe()).catch(this.#onError);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    for (const { listeners } of this.#persons.values()) for (const listener of [...listeners]) listener.onStop();
    for (const entry of this.#entries.values()) {
      clearTimeout(entry.linger);
      entry.close();
    }
    this.#entries.clear();
    this.#ready.clear();
    await this.#checking?.catch(() => {});
  }

  #entry(key: number): Entry {
    const entry = this.#entries.get(key);
    if (entry === undefined) throw new Error('A conversation must be opened before it is followed.');
    return entry;
  }

  #open(conversations: readonly ConversationRef[]): void {
    const { reader, bus } = this.#dependencies;
    const opened = conversations.map((conversation) => {
      let topic: Topic | undefined;
      const early: (ConversationNews | SignalNews)[] = [];
      const subscribed = bus.onConversation(conversation.key, (news) => (topic === undefined ? early.push(news) : tell(topic, news)));
      const start = (head: number, isWanted: boolean) => {
        topic = new Topic({ conversation, readRound: (request) => reader.round(request), onError: this.#onError }, head);
        if (isWanted) this.#ready.set(conversation.key, topic);
        for (const news of early.splice(0)) tell(topic, news);
        return topic;
      };
      return { conversation, subscribed, start };
    });
    const heads = Promise.all(opened.map(({ subscribed }) => subscribed)).then(() => reader.heads(conversations.map(({ key }) => key)));
    for (const { conversation, subscribed, start } of opened) {
      let isClosed = false;
      const topic = heads.then((found) => start(found.get(conversation.key) ?? 0, !isClosed));
      const close = () => {
        isClosed = true;
        subscribed.then((unsubscribe) => unsubscribe()).catch(this.#onError);
        topic.then((started) => started.close()).catch(() => {}); // Whoever waits for it is told.
      };
      this.#entries.set(conversation.key, { topic, users: 0, linger: undefined, close });
    }
  }

  #leave(key: number, entry: Entry | undefined): void {
    if (entry === undefined) return;
    entry.users -= 1;
    if (entry.users > 0 || this.#entries.get(key) !== entry) return;
    const close = () => {
      entry.close();
      this.#entries.delete(key);
      this.#ready.delete(key);
    };
    entry.linger = setTimeout(close, this.#dependencies.lingerMs).unref();
    // One that could not be opened is not worth keeping.
    entry.topic.catch(() => {
      clearTimeout(entry.linger);
      if (this.#entries.get(key) === entry) close();
    });
  }

  /** Compares with the database now, not when it is time: news may have been lost. */
  checkSoon(): void {
    if (this.#checking !== null) this.#checkAgain = true;
    else this.#run();
  }

  /** From one beginning to the next, so that a check that takes its time does not make signals wait for the one after it. */
  #schedule(elapsedMs = 0): void {
    if (this.#isStopped) return;
    const { checkIntervalMs } = this.#dependencies;
    this.#timer = setTimeout(() => this.#run(), Math.max(checkIntervalMs / 2, checkIntervalMs - elapsedMs)).unref();
  }

  /** One check at a time; the next one follows after a while, or at once when somebody asked meanwhile. */
  #run(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#checkAgain = false;
    const begunAt = performance.now();
    this.#checking = this.#check().catch(this.#onError);
    void this.#checking.then(() => {
      this.#checking = null;
      if (this.#checkAgain) this.#run();
      else this.#schedule(performance.now() - begunAt);
    });
  }

  async #check(): Promise<void> {
    const begunAt = this.#dependencies.clock.monotonic();
    // Whoever comes after that is looked up when they come.
    if (this.#ready.size > 0 || this.#persons.size > 0) await this.#compare();
    if (this.#freshness.checked(begunAt)) this.onCurrent();
  }

  async #compare(): Promise<void> {
    this.#newcomers = new Set();
    const check = await this.#dependencies.reader.check([...this.#ready.keys()], [...this.#persons.keys()]);
    await Promise.all(check.heads.map(({ key, sequence }) => this.#ready.get(key)?.reach(sequence)));
    const inboxes = new Map(check.inboxes.map(({ key, sequence }) => [key, sequence]));
    for (const [userKey, { listeners }] of this.#persons) {
      for (const listener of listeners) if (!this.#newcomers.has(listener)) listener.onVerified(check.xmin, inboxes.get(userKey) ?? 0);
    }
  }

  readonly #onError = (error: unknown): void => {
    // What could not be read now is read by the next check; until then nobody is told anything newer.
    this.#dependencies.logger.warn({ err: error }, 'The hub could not read what it is missing');
  };
}

function tell(topic: Topic, news: ConversationNews | SignalNews): void {
  if (news.kind === 'conversation') topic.onNews(news);
  else topic.onSignal(news);
}
