import type { ChangeCall, ChangeKind, LogEntry, MarkRead, Observation, Send, Told, Truth, TruthMessage } from './observation.ts';

/** A change that has a number, as far as it is known from acknowledgements, events and the truth together. */
export type Numbered = {
  readonly sequence: number;
  readonly change: ChangeKind | 'send';
  readonly message?: number;
  readonly user?: string;
  readonly content?: string | null;
  /** Not committed before: when the first call was made that can have done it; -Infinity when nobody saw that. */
  readonly begunAt: number;
  /** Committed by then; Infinity when nobody was told. */
  readonly acknowledgedAt: number;
};

export type Violation = { readonly rule: string; readonly text: string };

const JOINS: ReadonlySet<string> = new Set(['join', 'create']);
const UNDATED = { begunAt: Number.NEGATIVE_INFINITY, acknowledgedAt: Number.POSITIVE_INFINITY };
const DEPARTURES: ReadonlySet<string> = new Set(['leave', 'remove']);

/** What is known of one conversation, put together once for all rules. */
export class ConversationHistory {
  readonly name: string;
  readonly sends: Send[] = [];
  readonly calls: ChangeCall[] = [];
  readonly marks: MarkRead[] = [];
  readonly told: Told[] = [];
  truth: Truth | null = null;
  /** The messages of the truth, by the sequence of their creation. */
  readonly rows = new Map<number, TruthMessage>();
  /** By number. */
  readonly changes = new Map<number, Numbered>();
  readonly #comings = new Map<string, Numbered[]>();
  readonly #versions = new Map<number, Numbered[]>();
  /** Bodies that a message may have had without anybody knowing when. */
  readonly #undated = new Map<number, Set<string | null>>();
  /** Calls by what they may have done. */
  readonly #attempts = new Map<string, (Send | ChangeCall)[]>();
  /** Of each message by its sequence: the author and key, as #attempts has them. */
  readonly #keys = new Map<number, string>();
  /** When which number was the highest that was acknowledged. */
  readonly #heads: { readonly at: number; readonly sequence: number }[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** To be called when all observations are in. */
  settle(): void {
    this.#index();
    for (const call of this.calls) {
      if (call.answer.outcome === 'unknown' && call.message !== undefined && (call.change === 'edit' || call.change === 'delete')) {
        const undated = this.#undated.get(call.message) ?? new Set();
        undated.add(call.change === 'delete' ? null : (call.content ?? null));
        this.#undated.set(call.message, undated);
      }
    }
    const entries = new Map<number, LogEntry>();
    for (const entry of this.#entries()) if (!entries.has(entry.sequence)) entries.set(entry.sequence, entry);
    const counts = new Map<string, number>();
    for (const entry of entries.values()) counts.set(subjectOf(entry), (counts.get(subjectOf(entry)) ?? 0) + 1);
    for (const entry of entries.values()) {
      const before = entries.get(entry.sequence - 1);
      // Whoever inherits from an owner who goes has a new role that nobody asked for.
      const isInherited = entry.change === 'role' && before !== undefined && isDeparture(before);
      const isOnly = this.truth?.log !== undefined && counts.get(subjectOf(entry)) === 1;
      this.changes.set(entry.sequence, isInherited ? { ...entry, ...UNDATED } : this.#dated(entry, isOnly));
    }
    for (const change of [...this.changes.values()].sort((one, other) => one.sequence - other.sequence)) {
      if (change.user !== undefined && (JOINS.has(change.change) || DEPARTURES.has(change.change)))
        push(this.#comings, change.user, change);
      if (change.message !== undefined && ['send', 'edit', 'delete'].includes(change.change)) push(this.#versions, change.message, change);
    }
    let highest = this.truth?.base ?? 0;
    for (const { acknowledgedAt: at, sequence } of [...this.changes.values()].sort(
      (one, other) => one.acknowledgedAt - other.acknowledgedAt,
    )) {
      if (at === Number.POSITIVE_INFINITY || sequence <= highest) continue;
      highest = sequence;
      this.#heads.push({ at, sequence });
    }
  }

  /** True when every number from base to head is known. */
  get isComplete(): boolean {
    if (this.truth?.base === undefined) return false;
    if (this.truth.log !== undefined) return true;
    for (let sequence = this.truth.base + 1; sequence <= this.truth.sequence; sequence += 1) if (!this.changes.has(sequence)) return false;
    return true;
  }

  /** Joinings and departures of a person, in order. */
  comingsOf(user: string): readonly Numbered[] {
    return this.#comings.get(user) ?? [];
  }

  /** The departure after which a person may see nothing numbered so, unless they came back in time; null: they may. */
  departureBefore(user: string, sequence: number, at: number): Numbered | null {
    let departure: Numbered | null = null;
    for (const coming of this.comingsOf(user)) {
      if (isDeparture(coming) && coming.sequence < sequence) departure = coming;
      // Who is back sees all there is, also what happened while they were away.
      if (!isDeparture(coming) && departure !== null && coming.begunAt <= at) departure = null;
    }
    return departure;
  }

  /** Whether they are a member when all changes up to this number are done; null when that is not known. */
  isMemberAt(user: string, sequence: number): boolean | null {
    let isMember: boolean | null = null;
    for (const coming of this.comingsOf(user)) {
      // Before a departure one was a member.
      if (coming.sequence > sequence) return isMember ?? isDeparture(coming);
      isMember = !isDeparture(coming);
    }
    return isMember;
  }

  /** What a message said from one number on, in order. */
  versionsOf(message: number): readonly Numbered[] {
    return this.#versions.get(message) ?? [];
  }

  mayHaveSaid(message: number, content: string | null): boolean {
    return this.#undated.get(message)?.has(content) === true;
  }

  /** The highest number that was certainly there before a moment. */
  headAt(moment: number): number {
    let low = 0;
    let high = this.#heads.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#heads[middle]?.at ?? 0) < moment) low = middle + 1;
      else high = middle;
    }
    return this.#heads[low - 1]?.sequence ?? this.truth?.base ?? 0;
  }

  #entries(): readonly LogEntry[] {
    const calls = this.calls.flatMap(({ answer, change, message, user, content }): LogEntry[] =>
      answer.outcome === 'acknowledged' && answer.sequence !== null
        ? [
            {
              sequence: answer.sequence,
              change,
              ...(message === undefined ? {} : { message }),
              ...(user === undefined ? {} : { user }),
              ...(change === 'delete' ? { content: null } : content === undefined ? {} : { content }),
            },
          ]
        : [],
    );
    const sends = this.sends.flatMap(({ answer, content }): LogEntry[] =>
      answer.outcome === 'acknowledged' ? [{ sequence: answer.sequence, change: 'send', message: answer.sequence, content }] : [],
    );
    // Whoever was told of one change alone was told what it was; of several at once, only the last is known.
    const told = this.told.flatMap((event): LogEntry[] => {
      const { sequence, previousSequence, user, isMember, change } = event;
      if (event.event !== 'MemberChanged' || sequence === null || previousSequence !== sequence - 1 || user === undefined) return [];
      if (change === 'ROLE' || change === 'SEVERAL') return [];
      return [{ sequence, user, change: isMember === true ? 'join' : change === 'LEFT' ? 'leave' : 'remove' }];
    });
    const { log = [], messages = [], members = [] } = this.truth ?? {};
    const rows = messages.map(({ sequence }): LogEntry => ({ sequence, change: 'send', message: sequence }));
    const joined = members.map(({ user, joinedSequence: sequence }): LogEntry => ({ sequence, user, change: 'join' }));
    const left = members.flatMap(({ user, leftSequence: sequence }): LogEntry[] =>
      sequence === null ? [] : [{ sequence, user, change: 'remove' }],
    );
    return [...log, ...calls, ...sends, ...told, ...rows, ...joined, ...left];
  }

  /** With the moments between which it was committed, as far as the calls tell. */
  #dated(entry: LogEntry, isOnly: boolean): Numbered {
    const { sequence } = entry;
    // What was there before all that was observed was there before each of it.
    if (sequence <= (this.truth?.base ?? 0))
      return { ...entry, begunAt: Number.NEGATIVE_INFINITY, acknowledgedAt: Number.NEGATIVE_INFINITY };
    const candidates = [
      ...(this.#attempts.get(`acknowledged ${sequence}`) ?? []),
      ...(entry.change === 'send'
        ? (this.#attempts.get(this.#keys.get(sequence) ?? '') ?? [])
        : (this.#attempts.get(`unknown ${subjectOf(entry)}`) ?? [])),
    ];
    let begunAt = Number.POSITIVE_INFINITY;
    let acknowledgedAt = Number.POSITIVE_INFINITY;
    for (const attempt of candidates) {
      begunAt = Math.min(begunAt, attempt.begunAt);
      // Without its number an answer is that of this change only if there was no other like it.
      const isOfThis =
        attempt.answer.outcome === 'acknowledged' &&
        (attempt.answer.sequence === sequence || (attempt.answer.sequence === null && isOnly && candidates.length === 1));
      if (isOfThis) acknowledgedAt = Math.min(acknowledgedAt, attempt.at);
    }
    return { ...entry, begunAt: begunAt === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : begunAt, acknowledgedAt };
  }

  #index(): void {
    for (const row of this.truth?.messages ?? []) {
      this.rows.set(row.sequence, row);
      this.#keys.set(row.sequence, `key ${row.author} ${row.key}`);
    }
    for (const attempt of [...this.sends, ...this.calls]) {
      const { answer } = attempt;
      if (answer.outcome === 'acknowledged') push(this.#attempts, `acknowledged ${answer.sequence}`, attempt);
      if (attempt.kind === 'send') push(this.#attempts, `key ${attempt.writer} ${attempt.key}`, attempt);
      else if (answer.outcome === 'unknown' || (answer.outcome === 'acknowledged' && answer.sequence === null) || isUntold(answer))
        push(this.#attempts, `unknown ${subjectOf(attempt)}`, attempt);
    }
  }
}

/** Who has left by the time of the answer is not told what they did before. */
function isUntold(answer: ChangeCall['answer']): boolean {
  return answer.outcome === 'refused' && answer.code === 'NOT_FOUND';
}

function subjectOf({ change, message, user }: Pick<ChangeCall, 'message' | 'user'> & { readonly change: string }): string {
  return `${change} ${message ?? ''} ${user ?? ''}`;
}

export function isDeparture({ change }: Pick<Numbered, 'change'>): boolean {
  return DEPARTURES.has(change);
}

/** All observations, by what they are about. */
export class History {
  readonly observations: readonly Observation[];
  readonly conversations = new Map<string, ConversationHistory>();

  constructor(observations: readonly Observation[]) {
    this.observations = [...observations].sort((one, other) => one.at - other.at);
    for (const observation of this.observations) {
      switch (observation.kind) {
        case 'send':
          this.of(observation.conversation).sends.push(observation);
          break;
        case 'change':
          this.of(observation.conversation).calls.push(observation);
          break;
        case 'markRead':
          this.of(observation.conversation).marks.push(observation);
          break;
        case 'told':
          if (observation.conversation !== null) this.of(observation.conversation).told.push(observation);
          break;
        case 'truth':
          this.of(observation.conversation).truth = observation;
          break;
      }
    }
    for (const conversation of this.conversations.values()) conversation.settle();
  }

  of(name: string): ConversationHistory {
    let known = this.conversations.get(name);
    if (known === undefined) {
      known = new ConversationHistory(name);
      this.conversations.set(name, known);
    }
    return known;
  }
}

function push<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
