import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import * as conversations from '../src/conversations/store.ts';
import * as events from '../src/events/changes.ts';
import * as resumes from '../src/events/resume-changes.ts';
import { NO_FILTER } from '../src/messages/pages/page.ts';
import { planPage } from '../src/messages/plan.ts';
import * as messages from '../src/messages/store.ts';
import type { Parameter, Sql } from '../src/platform/postgres.ts';
import { HEARTBEAT_SCRIPT } from '../src/platform/rate-limit-nodes.ts';
import { GIVE_BACK_SCRIPT, TAKE_SCRIPT } from '../src/platform/rate-limit-script.ts';
import { requestHash } from '../src/platform/request-hash.ts';
import { openTestRedis } from './kit/redis.ts';
import { Dice } from './simulation/dice.ts';
import * as modelReads from './simulation/model-reads.ts';
import { ModelState } from './simulation/model-state.ts';
import { statementOf } from './simulation/model-statements.ts';
import { ModelWindows } from './simulation/model-windows.ts';
import { send, type Transaction } from './simulation/model-writes.ts';
import { insertBeginning } from './simulation/postgres-mirror.ts';
import { PostgresServer } from './simulation/postgres-server.ts';
import { RedisServer } from './simulation/redis-windows.ts';

/** What the simulation takes for granted: that its models answer as PostgreSQL and Redis do. Here both are asked the same, one thing after the other. */
const PEOPLE = 5;
const CONVERSATIONS = 2;
const STEPS = 60;
const READS_EACH = 3;
const START_US = 1_800_000_000_000_000;

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.open(inject('adminAddress'), null);
});
afterAll(() => server[Symbol.asyncDispose]());

test.each([1, 2, 3, 4])(
  'the model of the simulation answers whatever PostgreSQL answers (sequence %i)',
  async (seed) => {
    const pair = new Pair(seed);
    for (let step = 0; step < STEPS; step += 1) {
      await pair.write();
      for (let read = 0; read < READS_EACH; read += 1) await pair.read();
    }
  },
  60_000,
);

const redis = await openTestRedis();
afterAll(() => redis?.[Symbol.asyncDispose]());
const RUNS = 400;

test.skipIf(redis === null).each([1, 2, 3, 4])(
  'the model of the simulation answers whatever the scripts of limits answer in Redis (sequence %i)',
  async (seed) => {
    const dice = new Dice(seed, 'windows');
    await using real = new RedisServer(redis?.url ?? '');
    const [one, other] = [new ModelWindows(), real.open()];
    const windows = [2, 7, 1_000, 1_001, 30_000].map((max, index) => ({
      key: `w${index}`,
      max,
      lengthUs: dice.of([20_000, 100_000, 900_000]),
    }));
    const places: { readonly key: string; readonly place: string }[] = [];
    let nowUs = START_US;
    for (let run = 0; run < RUNS; run += 1) {
      // Now and then the clock goes back.
      nowUs += dice.of([0, 0, 125, 1_000, 20_000, 100_000, dice.has(0.2) ? -150_000 : 7_000]);
      const asked = windows.filter(() => dice.has(0.5));
      const [script, keys, args] = ((): [string, readonly string[], readonly (string | number)[]] => {
        const given = dice.has(0.3) ? places.splice(dice.between(0, places.length), 1)[0] : undefined;
        if (given !== undefined) return [GIVE_BACK_SCRIPT, [given.key], [given.place, dice.between(-5, 20)]];
        if (dice.has(0.1)) return [HEARTBEAT_SCRIPT, ['nodes'], [`node ${dice.between(1, 3)}`, 200]];
        const amount = (max: number) => dice.of([0, 1, 1, 2, Math.ceil(max / 300), Math.ceil(max / 3), max + 1]);
        return [TAKE_SCRIPT, asked.map(({ key }) => key), asked.flatMap(({ max, lengthUs }) => [max, lengthUs, amount(max)])];
      })();
      const answer = other.run(script, keys, args, nowUs);
      alike(`run ${run}`, one.run(script, keys, args, nowUs), answer);
      if (script !== TAKE_SCRIPT) continue;
      for (const [index, { key }] of asked.entries()) {
        const place = answer.split(' ')[index * 4 + 4] ?? '0';
        if (place !== '0') places.push({ key, place });
      }
    }
    expect(places.length).toBeGreaterThan(10);
  },
  60_000,
);

/** A moment between two transactions, as each of them numbers its own. */
type Moment = { readonly model: number; readonly real: number };

class Pair {
  readonly #dice: Dice;
  readonly #state: ModelState;
  readonly #model: Sql;
  readonly #real: Sql;
  readonly #moments: Moment[] = [];
  #keys = 0;

  constructor(seed: number) {
    this.#dice = new Dice(seed, 'both');
    const uuid = (kind: string, key: number) => `00000000-0000-7000-${kind}-0000000000${String(key + 10)}`;
    this.#state = new ModelState(
      Array.from({ length: PEOPLE }, (_, index) => ({ key: index + 1, uuid: uuid('8000', index), handle: `person${index + 1}` })),
    );
    for (let key = 1; key <= CONVERSATIONS; key += 1) this.#state.create(key, uuid('9000', key), [1, 2, 3], START_US);
    insertBeginning(server, this.#state);
    this.#model = sqlOf((template, values) => {
      const { run } = statementOf(template);
      return this.#transact((tx) => run(this.#state, values, tx));
    });
    this.#real = sqlOf((template, values) => server.query(template, values));
  }

  #user = () => this.#dice.between(1, PEOPLE);
  #conversation = () => this.#dice.between(1, CONVERSATIONS);
  #message = (conversation: number) => this.#dice.between(1, this.#state.conversation(conversation).head.sequence + 1);

  async write(): Promise<void> {
    const dice = this.#dice;
    const conversation = this.#conversation();
    const message = this.#message(conversation);
    const [actor, whom] = [dice.has(0.5) ? 1 : this.#user(), this.#user()];
    const text = `text ${dice.between(1, 3)}`;
    const role = dice.of(['MEMBER', 'ADMIN', 'OWNER'] as const);
    switch (dice.between(1, 13)) {
      case 1:
      case 2:
      case 3:
        return this.#send([this.#row(conversation)]);
      case 4:
        return this.#send(Array.from({ length: dice.between(2, 5) }, () => this.#row(this.#conversation())));
      case 5:
        return this.#same('edit', (sql) => messages.editMessage(sql, conversation, message, actor, text));
      case 6:
        return this.#same('delete', (sql) => messages.deleteMessage(sql, conversation, message, actor));
      case 7:
        return this.#same('react', (sql) => messages.react(sql, conversation, message, actor, '👍', whom > 2, 20));
      case 8:
        return this.#same('pin', (sql) => messages.pinMessage(sql, conversation, message, actor, whom > 2, 100));
      case 9:
        return this.#same('add', (sql) => conversations.addMembers(sql, conversation, actor, [whom, 1], 1_000));
      case 10:
        return this.#same('remove', (sql) => conversations.removeMember(sql, conversation, actor, whom));
      case 11:
        return this.#same('role', (sql) => conversations.setMemberRole(sql, conversation, actor, whom, role));
      case 12:
        return this.#same('rename', (sql) => conversations.updateConversation(sql, conversation, actor, { title: text }));
      default:
        return this.#same('mark read', (sql) => conversations.markRead(sql, conversation, whom, message, actor === 1));
    }
  }

  async read(): Promise<void> {
    const dice = this.#dice;
    const conversation = this.#conversation();
    const { key, uuid, head } = this.#state.conversation(conversation);
    const keys = [1, 2];
    const user = this.#user();
    switch (dice.between(1, 9)) {
      case 1:
      case 2: {
        const base = dice.between(0, head.sequence);
        const from = dice.between(base, head.sequence);
        const request = {
          conversation: { key, uuid },
          base,
          from,
          horizon: dice.has(0.5) ? null : dice.between(from, head.sequence),
          limit: dice.between(1, 8),
          mayRepeat: dice.has(0.5),
          audience: [user, dice.between(1, PEOPLE)],
        };
        alike('a round', modelReads.readRound(this.#state, request), await events.readRound(this.#real, request));
        return;
      }
      case 3: {
        const after = dice.between(0, head.sequence);
        alike('a start', modelReads.readStart(this.#state, key, user, after), await events.readStart(this.#real, key, user, after));
        return;
      }
      case 4: {
        const users = this.#state.people.map((person) => person.key).filter((each) => this.#state.inboxes.has(each));
        const { heads, inboxes } = await resumes.readCheck(this.#real, keys, users);
        const model = modelReads.readCheck(this.#state, keys, users);
        alike('heads', byKey(model.heads), byKey(heads));
        alike('inboxes', byKey(model.inboxes), byKey(inboxes));
        return;
      }
      case 5:
      case 6: {
        const moment = this.#moments.length === 0 ? null : dice.of(this.#moments);
        const next = this.#moments.filter(({ model }) => model >= (moment?.model ?? 0)).at(-1) ?? null;
        const cut = { key, sequence: dice.between(0, head.sequence) };
        const isCut = moment !== null && dice.has(0.4);
        const cursor = (of: keyof Moment) =>
          moment === null ? null : { xmin: moment[of], cut: isCut && next !== null ? { ...cut, xminNext: next[of] } : null };
        const { conversations: model, inboxSequence } = modelReads.readResume(this.#state, user, cursor('model'));
        const real = await resumes.readResume(this.#real, user, cursor('real'));
        alike('a resume', model, real.conversations);
        alike('an inbox', inboxSequence, real.inboxSequence);
        return;
      }
      case 7:
        return this.#same('conversations', async (sql) =>
          [...(await conversations.conversationsByKey(sql, user, keys))].sort((one, other) => one.key - other.key),
        );
      case 8:
        return this.#same('unread', async (sql) =>
          byKey(
            (await conversations.unreadCounts(sql, user, keys)).map(({ conversation_id, unread }) => ({
              key: conversation_id,
              sequence: unread,
            })),
          ),
        );
      default: {
        const page = { conversationKey: key, isForward: dice.has(0.5), bound: dice.between(0, head.sequence), limit: dice.between(1, 5) };
        await this.#same('a page', (sql) => planPage(NO_FILTER).read(sql, user, [{ ...page, filter: NO_FILTER, place: null }]));
        await this.#same('the newest', (sql) => messages.lastMessages(sql, user, [key]));
        await this.#same('messages', (sql) => messages.messagesByKey(sql, user, [{ conversationKey: key, sequence: page.bound }]));
        await this.#same('own reactions', (sql) => messages.viewerReactions(sql, user, [{ conversationKey: key, sequence: page.bound }]));
      }
    }
  }

  async #send(rows: readonly messages.SendRow[]): Promise<void> {
    const [row] = rows;
    const model = this.#transact((tx) => send(this.#state, tx, rows, new Set()));
    const real =
      rows.length === 1 && row !== undefined
        ? await messages.sendMessage(this.#real, row, true)
        : await messages.sendMessages(this.#real, rows, this.#dice.has(0.5));
    // A refusal has no more to say, and what a repeated message mentions is read with the message.
    const said = (outcome: messages.SendOutcome) => {
      const { status, sequence, position } = outcome;
      return status === 'SENT' ? outcome : status === 'REPEATED' ? { status, sequence, position } : { status };
    };
    alike('sends', model.map(said), real.map(said));
    this.#mark();
  }

  #row(conversationKey: number): messages.SendRow {
    const dice = this.#dice;
    // Some keys come again, with the same content or another.
    const key = dice.has(0.8) ? ++this.#keys : dice.between(1, this.#keys + 1);
    const body = dice.has(0.9) ? `body ${key}` : 'another body';
    const replyToSequence = dice.has(0.2) ? this.#message(conversationKey) : 0;
    const threadRootSequence = dice.has(0.2) ? this.#message(conversationKey) : 0;
    return {
      conversationKey,
      authorKey: this.#user(),
      clientMessageId: `k${key}`,
      requestHash: requestHash(body, replyToSequence, threadRootSequence),
      body,
      replyToSequence,
      threadRootSequence,
      mentionHandles: [],
      mentionsAll: false,
    };
  }

  async #same<Answer>(what: string, ask: (sql: Sql) => Promise<Answer>): Promise<void> {
    alike(what, await ask(this.#model), await ask(this.#real));
    this.#mark();
  }

  #transact<Answer>(run: (tx: Transaction) => Answer): Answer {
    const effects: (() => void)[] = [];
    let xid: number | null = null;
    const answer = run({
      xid: () => {
        xid ??= this.#state.begin();
        return xid;
      },
      onCommit: (effect) => effects.push(effect),
      nowUs: START_US,
    });
    for (const effect of effects) effect();
    if (xid !== null) this.#state.running.delete(xid);
    return answer;
  }

  #mark(): void {
    if (this.#dice.has(0.8)) return;
    const [row] = server.ask<{ xid: number }>`SELECT pg_current_xact_id()::text::bigint AS xid`;
    this.#moments.push({ model: this.#state.nextXid, real: row?.xid ?? 0 });
  }
}

function byKey(list: readonly { readonly key: number; readonly sequence: number }[]): object {
  return Object.fromEntries(list.map(({ key, sequence }) => [key, sequence]));
}

/** Rows of PostgreSQL may have columns that nothing simulated reads. When something happened is compared by order elsewhere. */
function alike(what: string, model: unknown, real: unknown): void {
  expect(timeless(real), what).toMatchObject({ is: timeless(model).is });
}

function timeless(value: unknown): { readonly is: unknown } {
  return {
    is: JSON.parse(
      JSON.stringify(value instanceof Map ? entriesOf(value) : value, (name, each) =>
        isTime(name) && each !== null ? 'a time' : each instanceof Map ? entriesOf(each) : each,
      ),
    ),
  };
}

/** By key, as a database may have any order. */
function entriesOf(map: ReadonlyMap<unknown, unknown>): readonly (readonly [unknown, unknown])[] {
  return [...map].sort(([one], [other]) => String(one).localeCompare(String(other)));
}

function isTime(name: string): boolean {
  return /(_at|At|_at_us|AtUs)$/.test(name);
}

function sqlOf(run: (template: TemplateStringsArray, values: readonly Parameter[]) => readonly object[]): Sql {
  const tag = async (template: TemplateStringsArray, ...values: readonly Parameter[]) => run(template, values);
  // Both answer what the statement asks for.
  return Object.assign(tag, { once: tag }) as unknown as Sql;
}
