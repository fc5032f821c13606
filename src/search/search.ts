import type { Conversations } from '../conversations/conversations.ts';
import type { Identity, IdentityService } from '../identity/identity.ts';
import type { Message } from '../messages/message.ts';
import type { PageFilter, TextCondition } from '../messages/pages/page.ts';
import { NO_AUTHOR } from '../messages/pages/page.ts';
import { messageOf } from '../messages/rows.ts';
import { badInput } from '../platform/errors.ts';
import type { Sql } from '../platform/postgres.ts';
import type { SlowSql } from '../platform/slow-database.ts';
import { createHighlighter } from './highlighter.ts';
import { nothingToFind, parseQuery, type SearchQuery } from './query.ts';
import * as store from './store.ts';

export type SearchDependencies = {
  readonly sql: Sql;
  /** For searches: they take milliseconds, but how many is for nobody to know before. */
  readonly slow: SlowSql;
  readonly conversations: Pick<Conversations, 'find'>;
  readonly identity: Pick<IdentityService, 'userByHandle' | 'userByUuid'>;
};

/** A search over all conversations of the viewer, or over one. */
export type SearchEverywhere = {
  readonly query: string;
  readonly conversationUuid: string | null;
  readonly authorUuid: string | null;
  readonly since: Date | null;
  readonly until: Date | null;
  readonly before: store.SearchPlace | null;
  readonly limit: number;
};

/** A message that was found, at its place, and where its conversation was in the same snapshot. */
export type Found = { readonly message: Message; readonly place: store.SearchPlace; readonly sequence: number; readonly lastAtUs: number };

export type Search = ReturnType<typeof createSearch>;

/** More would narrow nothing down: a block that has all of these has nearly always all. */
const KEYS_MAX = 24;
const CONDITIONS_REMEMBERED_MAX = 1_000;

/** The use cases of search. What a query asks for is known to the database, which knows how text is folded; its answers are remembered, as they never change. */
export function createSearch({ sql, slow, conversations, identity }: SearchDependencies) {
  const conditions = new Map<string, TextCondition>();

  return {
    /** What the text of a filter asks of the messages of one conversation. */
    async readText(viewer: Identity, text: string): Promise<Pick<PageFilter, 'authorUuid' | 'since' | 'until' | 'text'>> {
      const query = parseQuery('filter.text', text);
      if (query.titles.length > 0)
        throw badInput('filter.text', 'Search must not hold in: within one conversation; searchMessages looks through all of them.');
      const condition = await conditionOf('filter.text', query);
      return { authorUuid: await authorOf(viewer, query), since: query.since, until: query.until, text: condition };
    },

    /** Newest first, with what was looked for. */
    async everywhere(
      viewer: Identity,
      { conversationUuid, ...request }: SearchEverywhere,
      signal: AbortSignal | undefined,
    ): Promise<{ readonly found: readonly Found[]; readonly condition: TextCondition }> {
      const query = parseQuery('query', request.query);
      const { since, until, before, limit } = request;
      if (since !== null && until !== null && since > until)
        throw badInput('until', `until must not be earlier than since, got ${until.toISOString()} and ${since.toISOString()}.`);
      const condition = await conditionOf('query', query);
      const conversation = conversationUuid === null ? null : await conversations.find(conversationUuid);
      const named = await authorOf(viewer, query);
      const authorUuid = named ?? request.authorUuid;
      const author = authorUuid === null ? null : await identity.userByUuid(authorUuid);
      const isNowhere = conversationUuid !== null && conversation === null;
      const isNobody =
        (authorUuid !== null && author === null) || (named !== null && request.authorUuid !== null && named !== request.authorUuid);
      if (isNowhere || isNobody) return { found: [], condition };
      const titles = query.titles.length === 0 ? [] : (await store.folds(sql, query.titles)).map((title) => title.folded);
      const rows = await store.searchMessages(slow(signal), viewer.userKey, {
        condition,
        conversationKey: conversation?.key ?? null,
        titles,
        authorKey: author?.key ?? null,
        since: latest(since, query.since),
        until: earliest(until, query.until),
        before,
        limit,
      });
      return { found: rows.map(foundOf), condition };
    },

    /** Where what was looked for is in bodies; for one operation. */
    highlights: createHighlighter(slow).begin,

    /** Of messages that were written: they are found at once, and fast once this is done. */
    tidy: () => store.tidyIndex(slow(undefined)),
  };

  async function conditionOf(field: string, query: SearchQuery): Promise<TextCondition> {
    const source = JSON.stringify([query.wanted, query.unwanted]);
    const known = conditions.get(source);
    if (known !== undefined) return known;
    const needles = await store.needles(sql, [...query.wanted, ...query.unwanted]);
    // The longest first: it is the one that is in the fewest messages.
    const wanted = needles
      .slice(0, query.wanted.length)
      .filter(isSomething)
      .sort((one, other) => other.text.length - one.text.length);
    const unwanted = needles.slice(query.wanted.length).filter(isSomething);
    const keys = [...new Set(wanted.flatMap((needle) => needle.keys))];
    if (keys.length === 0) throw nothingToFind(field);
    const step = Math.ceil(keys.length / KEYS_MAX);
    const condition: TextCondition = {
      source,
      texts: wanted.map(({ text }) => text),
      starts: wanted.map(({ start }) => start),
      unwantedTexts: unwanted.map(({ text }) => text),
      unwantedStarts: unwanted.map(({ start }) => start),
      keys: keys.filter((_, index) => index % step === 0),
    };
    const [oldest] = conditions.keys();
    if (conditions.size >= CONDITIONS_REMEMBERED_MAX && oldest !== undefined) conditions.delete(oldest);
    conditions.set(source, condition);
    return condition;
  }

  /** Null: of whomever. */
  async function authorOf(viewer: Identity, { from }: SearchQuery): Promise<string | null> {
    if (from === null) return null;
    if (from === 'me') return viewer.userUuid;
    return (await identity.userByHandle(from))?.uuid ?? NO_AUTHOR;
  }
}

/** What is drawn as nothing is found nowhere, and everywhere. */
function isSomething({ text }: store.NeedleRow): boolean {
  return text.trim() !== '';
}

function foundOf(row: store.FoundRow): Found {
  return {
    message: messageOf({ key: row.conversation_id, uuid: row.conversation_public_id }, row),
    place: { atUs: row.at_us, conversationKey: row.conversation_id, sequence: row.sequence },
    sequence: row.conversation_sequence,
    lastAtUs: row.last_at_us,
  };
}

function latest(one: Date | null, other: Date | null): Date | null {
  return one !== null && other !== null && one < other ? other : (one ?? other);
}

function earliest(one: Date | null, other: Date | null): Date | null {
  return one !== null && other !== null && one > other ? other : (one ?? other);
}
