import { Dice } from './dice.ts';
import type { Plan, Step } from './plan.ts';

/** What a schedule is about; each has its own dangers by construction, and something of all others by chance. */
export const THEMES = [
  'everything at once',
  'replays that are cut and resumed, with edits meanwhile',
  'sends, removals and the order of their commits',
  'being added on another node while news is lost',
  'a poisoned message in a batch',
  'two nodes that send the same key',
  'sleep through a removal',
  'viewerEvents resumed over conversations joined and left meanwhile',
  'readers who are slower than their queue',
  'one execution for many, and what is the viewer’s',
] as const;
type Theme = (typeof THEMES)[number];

type Draft = Omit<Plan, 'seed' | 'steps' | 'theme'>;

/** The schedule of a seed: the same each time. */
export function scheduleOf(seed: number): Plan {
  const dice = new Dice(seed, 'schedule');
  const theme = THEMES[seed % THEMES.length] ?? 'everything at once';
  const draft = draftOf(dice, theme);
  const composer = new Composer(dice, draft);
  compose(composer, theme);
  return { seed, theme, ...draft, steps: composer.steps.sort((one, other) => one.at - other.at) };
}

function draftOf(dice: Dice, theme: Theme): Draft {
  const people = dice.between(3, 5);
  const conversations = Array.from({ length: theme.startsWith('viewerEvents') ? dice.between(2, 4) : dice.between(1, 3) }, () => {
    const members = Array.from({ length: people }, (_, index) => index + 1).filter((user) => user === 1 || dice.has(0.75));
    return members.length < 2 ? [1, 2] : members;
  });
  return {
    nodes: dice.between(2, 3),
    people,
    conversations,
    queueMax: dice.of([2, 4, 8, 50]),
    tailMax: dice.of([1, 3, 50]),
    latencyMs: dice.of([1, 4, 12]),
    checkIntervalMs: dice.of([1_000, 1_000, 250, 60]),
    isProbed: dice.has(0.4),
    durationMs: dice.of([800, 1_500, 3_000]),
  };
}

function compose(composer: Composer, theme: Theme): void {
  const { dice } = composer;
  composer.openReaders(theme);
  switch (theme) {
    case 'replays that are cut and resumed, with edits meanwhile':
      composer.talk(dice.between(12, 25));
      for (const reader of composer.readers) {
        composer.add({ do: 'cut', reader, node: composer.node(), downMs: dice.between(50, 500), back: 0 }, 0.2, 0.5);
        for (let count = dice.between(1, 3); count > 0; count -= 1)
          composer.add({ do: 'cutAfter', reader, node: composer.node(), events: dice.between(1, 4), downMs: dice.between(5, 60) }, 0.4, 1);
      }
      composer.change(dice.between(10, 25), ['edit', 'edit', 'edit', 'delete', 'react', 'pin', 'rename']);
      break;
    case 'sends, removals and the order of their commits':
      composer.talk(dice.between(8, 16));
      for (let count = dice.between(1, 4); count > 0; count -= 1) {
        const whom = dice.between(2, composer.draft.people);
        const conversation = composer.conversation();
        const at = composer.moment(0.2, 0.8);
        if (dice.has(0.5)) composer.at(at - 30, { do: 'lock', conversation, ms: dice.between(20, 200) });
        // At the same moment, so that chance decides who is first.
        for (let index = dice.between(1, 4); index > 0; index -= 1)
          composer.at(at + dice.between(-6, 6), composer.sending(whom, conversation));
        composer.at(at, { do: 'remove', user: 1, whom, node: composer.node(), conversation });
        for (let index = dice.between(0, 3); index > 0; index -= 1)
          composer.at(at + dice.between(-6, 30), composer.sending(1, conversation));
        if (dice.has(0.4)) composer.at(at + dice.between(20, 300), { do: 'add', user: 1, whom, node: composer.node(), conversation });
        if (dice.has(0.4)) {
          // Its news alone is lost, so that a gap is being filled while the removed comes back.
          composer.at(at - 8, { do: 'news', ms: dice.between(8, 20), isAway: false, lost: 1, repeated: 0, delayMs: 4 });
          for (const reader of composer.readersOf(whom))
            composer.at(at - dice.between(0, 40), { do: 'cut', reader, node: composer.node(), downMs: dice.between(1, 80), back: 0 });
          // Reads that are long under way leave time for what happens meanwhile.
          if (dice.has(0.6)) composer.at(at - 60, { do: 'database', ms: 200, ...CALM, latencyMs: dice.of([30, 60]) });
        }
      }
      composer.change(dice.between(0, 6));
      composer.trouble(dice.between(0, 2));
      break;
    case 'being added on another node while news is lost':
      composer.talk(dice.between(6, 14));
      for (let count = dice.between(1, 3); count > 0; count -= 1) {
        const at = composer.moment(0.1, 0.8);
        composer.at(at, { do: 'news', ms: dice.between(100, 900), isAway: dice.has(0.3), lost: 1, repeated: 0, delayMs: 5 });
        const whom = dice.between(2, composer.draft.people);
        const conversation = composer.conversation();
        composer.at(at + 20, { do: 'remove', user: 1, whom, node: composer.node(), conversation });
        composer.at(at + dice.between(60, 200), { do: 'add', user: 1, whom, node: composer.node(), conversation });
        for (let index = dice.between(1, 4); index > 0; index -= 1)
          composer.at(at + dice.between(60, 300), composer.sending(1, conversation));
        if (dice.has(0.5)) {
          // And is gone again before anybody has looked, perhaps to come back once more.
          composer.at(at + dice.between(210, 420), { do: 'remove', user: 1, whom, node: composer.node(), conversation });
          if (dice.has(0.5)) composer.at(at + dice.between(430, 700), { do: 'add', user: 1, whom, node: composer.node(), conversation });
        }
      }
      composer.trouble(dice.between(0, 2));
      break;
    case 'a poisoned message in a batch':
      for (let burst = dice.between(2, 4); burst > 0; burst -= 1) {
        const at = composer.moment(0.1, 0.9);
        const node = composer.node();
        const size = dice.between(2, 9);
        const poisoned = dice.between(0, size - 1);
        for (let index = 0; index < size; index += 1) {
          const sending = composer.sending(composer.user(), composer.conversation(), node);
          composer.at(at, index === poisoned ? { ...sending, content: `☠ ${sending.content}` } : sending);
        }
        if (dice.has(0.3)) composer.at(at - 20, { do: 'lock', conversation: composer.conversation(), ms: dice.between(30, 500) });
      }
      composer.trouble(dice.between(0, 2));
      break;
    case 'two nodes that send the same key':
      for (let count = dice.between(3, 7); count > 0; count -= 1) {
        const at = composer.moment(0.1, 0.9);
        const sending = composer.sending();
        composer.at(at, sending);
        composer.at(at + dice.between(0, 8), { ...sending, node: sending.node + 1 });
        if (dice.has(0.3)) composer.at(at + dice.between(0, 60), { ...sending, content: `other ${sending.content}` });
        for (let index = dice.between(0, 3); index > 0; index -= 1)
          composer.at(at, composer.sending(undefined, sending.conversation, sending.node));
      }
      composer.trouble(dice.between(1, 3));
      break;
    case 'sleep through a removal':
      composer.talk(dice.between(8, 16));
      for (let count = dice.between(1, 2); count > 0; count -= 1) {
        const at = composer.moment(0.1, 0.5);
        const whom = dice.between(2, composer.draft.people);
        const conversation = composer.conversation();
        const node = composer.node();
        composer.at(at, { do: 'sleep', node, ms: dice.between(300, 2_600) });
        composer.at(at + 30, { do: 'remove', user: 1, whom, node: node + 1, conversation });
        if (dice.has(0.5)) {
          // Nothing tells the sleeper of the removal, and somebody types when it wakes.
          composer.at(at + 20, { do: 'news', ms: 150, isAway: false, lost: 1, repeated: 0, delayMs: 5 });
          for (const ms of [1_700, 1_900, 2_200]) composer.at(at + ms, { do: 'typing', user: 1, node: node + 1, conversation });
          continue;
        }
        for (let index = dice.between(1, 4); index > 0; index -= 1) {
          composer.at(at + dice.between(40, 900), composer.sending(1, conversation, node + 1));
          composer.at(at + dice.between(0, 2_000), { do: 'typing', user: 1, node: node + 1, conversation });
        }
        composer.at(at + dice.between(40, 900), {
          do: 'edit',
          user: 1,
          node: node + 1,
          conversation,
          pick: dice.next(),
          content: composer.text(),
        });
      }
      composer.trouble(dice.between(0, 1));
      break;
    case 'viewerEvents resumed over conversations joined and left meanwhile':
      composer.talk(dice.between(12, 30));
      composer.change(dice.between(6, 14), ['add', 'add', 'remove', 'leave', 'edit', 'react', 'promote']);
      for (let count = dice.between(1, 3); count > 0; count -= 1) composer.add({ do: 'transaction', ms: dice.between(100, 1_500) }, 0, 0.8);
      for (const reader of composer.readers) {
        composer.add({ do: 'cut', reader, node: composer.node(), downMs: dice.between(50, 700), back: dice.between(0, 2) }, 0.2, 0.7);
        if (dice.has(0.6))
          composer.add({ do: 'cutAfter', reader, node: composer.node(), events: dice.between(1, 6), downMs: dice.between(5, 100) }, 0.3, 1);
      }
      composer.trouble(dice.between(0, 2));
      break;
    case 'readers who are slower than their queue':
      composer.talk(dice.between(15, 30));
      composer.change(dice.between(4, 12), ['edit', 'edit', 'react', 'remove', 'add']);
      for (const reader of composer.readers) if (dice.has(0.7)) composer.add({ do: 'stall', reader, ms: dice.between(100, 900) }, 0, 0.7);
      composer.trouble(dice.between(0, 2));
      break;
    case 'one execution for many, and what is the viewer’s':
      composer.talk(dice.between(8, 16));
      composer.change(dice.between(4, 10), ['react', 'react', 'edit', 'pin', 'remove']);
      if (dice.has(0.5))
        composer.add({ do: 'database', ms: 500, lost: 0.5, lostAnswer: 0, timeout: 0.2, deadlock: 0, late: 0, latencyMs: 4 }, 0.3, 0.9);
      composer.trouble(dice.between(0, 1));
      break;
    default:
      composer.talk(dice.between(8, 20));
      composer.change(dice.between(6, 20));
      composer.trouble(dice.between(2, 6));
  }
  if (dice.has(0.3)) composer.look(dice.between(1, 3));
  if (dice.has(0.6)) composer.endBusily();
}

/** Puts steps together; what it makes up differs each time, so that an old text is told from a new one. */
class Composer {
  readonly dice: Dice;
  readonly draft: Draft;
  readonly steps: Step[] = [];
  readonly readers: string[] = [];
  readonly #users = new Map<string, number>();
  #texts = 0;

  constructor(dice: Dice, draft: Draft) {
    this.dice = dice;
    this.draft = draft;
  }

  user = (): number => this.dice.between(1, this.draft.people);
  node = (): number => this.dice.between(0, this.draft.nodes - 1);
  conversation = (): number => this.dice.between(1, this.draft.conversations.length);
  text = (): string => `t${++this.#texts}`;
  moment = (from: number, to: number): number => (from + this.dice.next() * (to - from)) * this.draft.durationMs;

  at(at: number, step: Timeless<Step>): void {
    this.steps.push({ ...step, at: Math.max(0, at) });
  }

  /** At some moment of a part of the schedule. */
  add(step: Timeless<Step>, from = 0, to = 1): void {
    this.at(this.moment(from, to), step);
  }

  sending(user = this.user(), conversation = this.conversation(), node = this.node()) {
    const content = this.text();
    const inThread = this.dice.has(0.1) ? { inThread: this.dice.next() } : {};
    return { do: 'send' as const, user, node, conversation, key: `k${content}`, content, tries: this.dice.between(1, 4), ...inThread };
  }

  talk(count: number): void {
    for (let left = count; left > 0; ) {
      // Some alone, some many at the same moment.
      const burst = this.dice.has(0.3) ? this.dice.between(2, 6) : 1;
      const at = this.moment(0, 1);
      const node = this.node();
      for (let index = 0; index < Math.min(burst, left); index += 1)
        this.at(at + this.dice.next() * 3, this.sending(undefined, undefined, node));
      left -= burst;
    }
  }

  change(count: number, kinds: readonly ChangeName[] = CHANGES): void {
    for (let index = 0; index < count; index += 1) this.add(this.#change(this.dice.of(kinds)), 0.1, 1);
  }

  trouble(count: number): void {
    for (let index = 0; index < count; index += 1) this.add(this.#trouble(), 0.05, 0.9);
  }

  look(count: number): void {
    for (let index = 0; index < count; index += 1) {
      const { dice } = this;
      if (dice.has(0.7)) this.add({ do: 'read', user: this.user(), node: this.node(), conversation: this.conversation() });
      else this.add({ do: 'readAll', user: this.user(), node: this.node() });
    }
  }

  readersOf(user: number): readonly string[] {
    return this.readers.filter((reader) => this.#users.get(reader) === user);
  }

  /** The last changes come just when somebody comes back; nothing after them would reveal that one of them was missed. */
  endBusily(): void {
    const { dice } = this;
    const end = this.draft.durationMs - 10;
    const conversation = this.conversation();
    for (const reader of this.readers) {
      if (dice.has(0.6))
        this.at(end - dice.between(20, 60), { do: 'cut', reader, node: this.node(), downMs: dice.between(5, 60), back: 0 });
    }
    for (let count = dice.between(1, 5); count > 0; count -= 1) {
      const at = end - dice.between(0, 45);
      if (dice.has(0.7)) this.at(at, this.sending(undefined, conversation));
      else this.at(at, this.#change(dice.of(['edit', 'react', 'rename'] as const)));
    }
  }

  openReaders(theme: Theme): void {
    const { dice, draft } = this;
    const isExecuted = theme.startsWith('one execution');
    const isOfAll = theme.startsWith('viewerEvents') ? 0.85 : theme.startsWith('being added') || isExecuted ? 0.6 : 0.3;
    const isSlow = theme.startsWith('readers') ? 0.8 : 0.15;
    for (let index = dice.between(2, isExecuted ? 6 : 5); index > 0; index -= 1) {
      const reader = `r${index}`;
      this.readers.push(reader);
      const via = dice.has(isExecuted ? 0.95 : 0.06) ? dice.of(['shared', 'shared', 'brief', 'viewer'] as const) : 'stream';
      const paceMs = dice.has(isSlow) ? dice.between(10, 90) : dice.of([0, 1, 4]);
      const conversation = dice.has(isOfAll) ? null : this.conversation();
      const members = conversation === null ? null : (draft.conversations[conversation - 1] ?? [1]);
      const user = members === null || dice.has(0.1) ? this.user() : dice.of(members);
      this.#users.set(reader, user);
      this.add({ do: 'open', reader, user, node: this.node(), conversation, via, paceMs }, 0, dice.has(0.7) ? 0.05 : 0.6);
    }
    for (const reader of this.readers) {
      if (dice.has(0.4))
        this.add({ do: 'cut', reader, node: this.node(), downMs: dice.between(1, 400), back: dice.has(0.2) ? 1 : 0 }, 0.2, 1);
    }
  }

  #change(name: ChangeName): Timeless<Step> {
    const { dice } = this;
    const by = { user: this.user(), node: this.node(), conversation: this.conversation() };
    switch (name) {
      case 'edit':
        return { do: 'edit', ...by, user: dice.has(0.6) ? 1 : by.user, pick: dice.next(), content: this.text() };
      case 'delete':
        return { do: 'delete', ...by, user: 1, pick: dice.next() };
      case 'react':
        return { do: dice.has(0.8) ? 'react' : 'unreact', ...by, pick: dice.next() };
      case 'pin':
        return { do: dice.has(0.7) ? 'pin' : 'unpin', ...by, pick: dice.next() };
      case 'add':
        return { do: 'add', ...by, user: 1, whom: this.user() };
      case 'remove':
        return { do: 'remove', ...by, user: 1, whom: this.user() === 1 ? 2 : this.user() };
      case 'promote':
        return { do: 'promote', ...by, user: 1, whom: this.user() };
      case 'leave':
        return { do: 'leave', ...by };
      case 'rename':
        return { do: 'rename', ...by, user: 1, content: this.text() };
      case 'typing':
        return { do: 'typing', ...by };
      case 'markRead':
        return { do: 'markRead', ...by, share: dice.next() };
    }
  }

  #trouble(): Timeless<Step> {
    const { dice } = this;
    const ms = dice.between(50, 900);
    const chance = () => (dice.has(0.5) ? dice.next() * 0.5 : 0);
    switch (dice.between(1, 9)) {
      case 1:
        return { do: 'crash', node: this.node(), downMs: dice.between(50, 500) };
      case 2:
        return { do: 'crashAtCommit', node: this.node(), downMs: dice.between(50, 500) };
      case 3:
        return { do: 'sleep', node: this.node(), ms: dice.of([ms, 2_000]) };
      case 4:
        return { do: 'stop', node: this.node(), downMs: ms };
      case 5:
        return { do: 'news', ms, isAway: dice.has(0.3), lost: chance(), repeated: chance(), delayMs: dice.of([5, 60, 300]) };
      case 6:
        return { do: 'transaction', ms };
      case 7:
        return { do: 'lock', conversation: this.conversation(), ms };
      case 8:
        return { do: 'wallClock', stepMs: dice.between(-5_000, 5_000) };
      default:
        return {
          do: 'database',
          ms,
          lost: chance(),
          lostAnswer: chance(),
          timeout: chance() / 3,
          deadlock: chance() / 3,
          late: chance(),
          latencyMs: dice.of([5, 60]),
        };
    }
  }
}

const CALM = { lost: 0, lostAnswer: 0, timeout: 0, deadlock: 0, late: 0 };
type Timeless<Each> = Each extends unknown ? Omit<Each, 'at'> : never;
const CHANGES = ['edit', 'delete', 'react', 'pin', 'add', 'remove', 'promote', 'leave', 'rename', 'typing', 'markRead'] as const;
type ChangeName = (typeof CHANGES)[number];
