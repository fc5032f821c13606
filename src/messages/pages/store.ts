import type { User } from '../../identity/user.ts';
import type { Parameter, Sql } from '../../platform/postgres.ts';
import { type RowsForm, statementOf } from '../../platform/statement.ts';
import type { MessageColumns } from '../rows.ts';
import { PAGE_ROWS_MAX, type PageFilter, type PagePlace, type PageRead, type PageRequest, type PageRow, type ReaderRow } from './page.ts';

/**
 * Which index a page is read from, from its bound on: the columns between the conversation, which is given, and the sequence, by which
 * everything is ordered; and what else must hold of a row.
 */
export type Walk = {
  /** `x`: messages, or the marks beside those that were changed. */
  readonly table: 'messages' | 'message_changes';
  readonly columns: readonly { readonly name: string; readonly value: string }[];
  readonly where: string;
};

const LIST = { name: 'coalesce(x.thread_root, 0)', value: 'k.root' };
const MARKED_LIST = { name: 'x.thread_root', value: 'k.root' };
const AUTHOR = { name: 'x.author_id', value: 'a.id' };
const NOT_PINNED = '(k.pinned <> 2 OR x.pinned_at IS NULL)';
const REACTED = 'x.has_reactions AND (k.pinned <> 2 OR NOT x.is_pinned)';
/** In a form of which the planner thinks that it holds for half of the rows; of IS NULL it may think that it holds for hardly any. */
const UNREACTED = 'CASE WHEN x.reactions IS NULL THEN true ELSE false END';

/** By messages_list_idx, which is only used where a sequence is said to be greater than 0, and by messages_author_idx. */
export const LIST_WALK: Walk = { table: 'messages', columns: [LIST], where: `x.sequence > 0 AND ${NOT_PINNED}` };
export const UNREACTED_WALK: Walk = { ...LIST_WALK, where: `${LIST_WALK.where} AND ${UNREACTED}` };
export const AUTHOR_WALK: Walk = { table: 'messages', columns: [LIST, AUTHOR], where: NOT_PINNED };
export const UNREACTED_AUTHOR_WALK: Walk = { ...AUTHOR_WALK, where: `${NOT_PINNED} AND ${UNREACTED}` };
/** By message_changes_pinned_idx, message_changes_reacted_idx (as above) and message_changes_reacted_author_idx. */
export const PINNED_WALK: Walk = {
  table: 'message_changes',
  columns: [MARKED_LIST],
  where: 'x.is_pinned AND (k.author IS NULL OR x.author_id = a.id) AND (k.reacted = 0 OR x.has_reactions = (k.reacted = 1))',
};
export const REACTED_WALK: Walk = {
  table: 'message_changes',
  columns: [MARKED_LIST],
  where: `x.message_sequence > 0 AND ${REACTED}`,
};
export const REACTED_AUTHOR_WALK: Walk = { table: 'message_changes', columns: [MARKED_LIST, AUTHOR], where: REACTED };

/** Who asks: one for all requests, or for each of them some. */
export type Viewers = number | readonly (readonly number[])[];
/** A statement that reads pages of many conversations, for one viewer. */
export type ReadPages = (sql: Sql, viewerKey: number, requests: readonly PageRequest[]) => Promise<readonly PageRead[]>;
/** The same, also for several. */
export type ReadPagesOfMany = (sql: Sql, viewers: Viewers, requests: readonly PageRequest[]) => Promise<readonly PageRead[]>;

/**
 * Pages of many conversations in one statement, each once for all who ask for it; only of conversations one of them is in. Who is, is judged in the
 * same snapshot.
 */
export function pageReader(walk: Walk): ReadPagesOfMany {
  const statement = statementOf(pageStatement(messagesOf(walk)), PAGE_FORM);
  return async (sql, viewers, requests) => pageReads(requests, await sql<PageRow | ReaderRow>(statement, ...pageValues(viewers, requests)));
}

/** What the statement answers, for each request. */
export function pageReads(requests: readonly PageRequest[], answered: readonly (PageRow | ReaderRow)[]): readonly PageRead[] {
  const reads = requests.map(() => ({ rows: [] as PageRow[], readers: new Set<number>() }));
  for (const row of answered) {
    if ('readerKey' in row) reads[-row.ord - 1]?.readers.add(row.readerKey);
    else reads[row.ord - 1]?.rows.push(row);
  }
  return reads;
}

/** What the parameters of a page's statement are, save those of the messages it reads. */
export function pageValues(viewers: Viewers, requests: readonly PageRequest[]): readonly Parameter[] {
  const asked = requests.flatMap(({ conversationKey }, index) =>
    (typeof viewers === 'number' ? [viewers] : (viewers[index] ?? [])).map((viewerKey) => ({ ord: index + 1, conversationKey, viewerKey })),
  );
  return [
    asked.map(({ ord }) => ord),
    asked.map(({ conversationKey }) => conversationKey),
    asked.map(({ viewerKey }) => viewerKey),
    requests.map(({ conversationKey }) => conversationKey),
    requests.map(({ isForward }) => (isForward ? 1 : 0)),
    requests.map(({ bound }) => bound),
    requests.map(({ limit }) => limit),
    requests.map(({ filter }) => filter.threadRoot),
    requests.map(({ filter }) => filter.authorUuid ?? NOBODY),
    requests.map(({ filter }) => filter.since?.getTime() ?? NO_TIME_MS),
    requests.map(({ filter }) => filter.until?.getTime() ?? NO_TIME_MS),
    requests.map(({ filter }) => choice(filter.pinned)),
    requests.map(({ filter }) => choice(filter.hasReactions)),
    requests.map(({ place }) => (place === null ? 0 : 'time' in place ? 1 : 2)),
    requests.map(({ place }) => placeNumber(place)),
  ];
}

/** Of what a page's statement answers. */
const COLUMNS = [
  'ord',
  'sequence',
  'position',
  'client_message_id',
  'body',
  'reply_to',
  'created_at',
  'edited_at',
  'deleted_at',
  'author_id',
  'thread_root',
  'reply_count',
  'reactions',
  'pinned_at',
  'mentions_all',
  'mentions',
  'public_id',
  'handle',
  'display_name',
  'avatar_url',
] as const;

/** A row of a reader, an author or a message, which of what the others have knows nothing but the key of a person. What would be 0 or false is null. */
type Answered = {
  readonly [Name in Exclude<keyof MessageColumns, 'sequence' | 'reply_count' | 'mentions_all'>]: MessageColumns[Name];
} & {
  readonly ord: number;
  readonly sequence: number | null;
  readonly author_id: number;
  readonly reply_count: number | null;
  readonly mentions_all: true | null;
  readonly public_id: string;
  readonly handle: string;
  readonly display_name: string;
  readonly avatar_url: string | null;
};
type ValuesOf<Columns extends readonly (keyof Answered)[]> = { readonly [Index in keyof Columns]: Answered[Columns[Index]] };

/** First who may read what, then the authors, once for all that they wrote. */
export const PAGE_FORM: RowsForm<PageRow | ReaderRow> = {
  columns: COLUMNS,
  rowsOf(answered) {
    const authors = new Map<number, User>();
    const rows: (PageRow | ReaderRow)[] = [];
    for (const values of answered) {
      const of = values as unknown as ValuesOf<typeof COLUMNS>; // In this order, as was checked.
      const [ord, sequence] = of;
      if (ord < AUTHORS) {
        rows.push({ ord, readerKey: of[9] });
        continue;
      }
      if (ord === AUTHORS) {
        authors.set(of[9], { key: of[9], uuid: of[16], handle: of[17], displayName: of[18], avatarUrl: of[19], createdAt: of[6] });
        continue;
      }
      const author = authors.get(of[9]);
      if (sequence === null || author === undefined) throw new Error('A message must have a sequence and an author.');
      rows.push({
        ord,
        sequence,
        position: of[2],
        client_message_id: of[3],
        body: of[4],
        reply_to: of[5],
        created_at: of[6],
        edited_at: of[7],
        deleted_at: of[8],
        author,
        thread_root: of[10],
        reply_count: of[11] ?? 0,
        reactions: of[12],
        pinned_at: of[13],
        mentions_all: of[14] ?? false,
        mentions: of[15],
      });
    }
    return rows;
  },
};

/** The number of no request. */
const AUTHORS = 0;
/** Arrays hold no nulls: these stand for what is not given. */
const NOBODY = '00000000-0000-0000-0000-000000000000';
const NO_TIME_MS = Number.MIN_SAFE_INTEGER;
const ENDLESS = '9223372036854775807';

function choice(wanted: PageFilter['pinned']): number {
  return wanted === null ? 0 : wanted ? 1 : 2;
}

function placeNumber(place: PagePlace | null): number {
  if (place === null) return 0;
  return 'time' in place ? place.time.getTime() : place.position;
}

/**
 * `messages` gives rows of messages for the request `k` of the author `a` between the sequences `r.low` and `r.high`.
 *
 * OFFSET 0 keeps the planner from turning look-ups by key into scans of all that there is. Bounds of time and place become sequences by
 * binary search over the primary key, once for each page. The literal limit, which is the longest page's, tells the planner how little
 * will be read, as it cannot know the page's own.
 */
export function pageStatement(messages: string): string {
  return `
    WITH reader AS MATERIALIZED (
    SELECT r.ord, r.viewer
      FROM unnest(?::integer[], ?::bigint[], ?::bigint[]) r (ord, conversation_id, viewer)
      JOIN LATERAL (SELECT FROM members b WHERE b.conversation_id = r.conversation_id AND b.user_id = r.viewer AND b.left_sequence IS NULL OFFSET 0) v ON true
    ), page AS MATERIALIZED (
    SELECT k.ord::integer AS ord, x.sequence, x.position, x.client_message_id, x.body, x.reply_to, x.created_at, x.edited_at, x.deleted_at, x.author_id,
           x.thread_root, x.reply_count, x.reactions, x.pinned_at, x.mentions_all, x.mentions
      FROM (SELECT i.*, nullif(i.author_uuid, '${NOBODY}') AS author
              FROM unnest(?::bigint[], ?::integer[], ?::bigint[], ?::integer[], ?::bigint[], ?::uuid[], ?::bigint[], ?::bigint[], ?::integer[], ?::integer[], ?::integer[], ?::bigint[])
                   WITH ORDINALITY i (conversation_id, forward, bound, size, root, author_uuid, since, until, pinned, reacted, place, at, ord)
             WHERE EXISTS (SELECT FROM reader r WHERE r.ord = i.ord)) k
      LEFT JOIN LATERAL (SELECT u.id FROM users u WHERE u.public_id = k.author OFFSET 0) a ON true
      JOIN LATERAL (
        SELECT greatest(CASE k.forward WHEN 1 THEN k.bound ELSE 0 END, t.since - 1, CASE k.forward WHEN 1 THEN t.place - 1 END) AS low,
               least(CASE k.forward WHEN 1 THEN ${ENDLESS} ELSE k.bound END, t.until, CASE k.forward WHEN 0 THEN t.place END) AS high
          FROM (SELECT CASE WHEN k.since > ${NO_TIME_MS} THEN coalesce(sequence_at_time(k.conversation_id, ${timeOf('k.since')}), ${ENDLESS}) END AS since,
                       CASE WHEN k.until > ${NO_TIME_MS} THEN sequence_at_time(k.conversation_id, ${timeOf('k.until')}) END AS until,
                       CASE k.place WHEN 1 THEN coalesce(sequence_at_time(k.conversation_id, ${timeOf('k.at')}), ${ENDLESS})
                                    WHEN 2 THEN coalesce(sequence_at_position(k.conversation_id, k.at), ${ENDLESS}) END AS place OFFSET 0) t
        OFFSET 0) r ON true
      JOIN LATERAL (${messages}
      ) x ON true
    )
    SELECT -r.ord AS ord, NULL::bigint AS sequence, NULL::bigint AS position, NULL::text AS client_message_id, NULL::text AS body, NULL::bigint AS reply_to,
           NULL::timestamptz AS created_at, NULL::timestamptz AS edited_at, NULL::timestamptz AS deleted_at, r.viewer AS author_id, NULL::bigint AS thread_root,
           NULL::integer AS reply_count, NULL::jsonb AS reactions, NULL::timestamptz AS pinned_at, NULL::boolean AS mentions_all, NULL::jsonb AS mentions,
           NULL::uuid AS public_id, NULL::text AS handle, NULL::text AS display_name, NULL::text AS avatar_url
      FROM reader r
    UNION ALL
    SELECT ${AUTHORS}, NULL, NULL, NULL, NULL, NULL, u.created_at, NULL, NULL, u.id, NULL, NULL, NULL, NULL, NULL, NULL, u.public_id, u.handle, u.display_name, u.avatar_url
      FROM (SELECT DISTINCT p.author_id FROM page p) a, LATERAL (SELECT u.* FROM users u WHERE u.id = a.author_id OFFSET 0) u
    UNION ALL
    SELECT p.ord, p.sequence, p.position, p.client_message_id, p.body, p.reply_to, p.created_at, p.edited_at, p.deleted_at, p.author_id, p.thread_root,
           nullif(p.reply_count, 0), p.reactions, p.pinned_at, nullif(p.mentions_all, false), CASE WHEN p.mentions IS NOT NULL THEN users_json(p.mentions) END,
           NULL, NULL, NULL, NULL
      FROM page p
     ORDER BY ord, sequence`;
}

function timeOf(milliseconds: string): string {
  return `timestamptz 'epoch' + ${milliseconds} * interval '1 millisecond'`;
}

function messagesOf(walk: Walk): string {
  const sides = `${side(walk, true)}
        UNION ALL${side(walk, false)}`;
  if (walk.table === 'messages') return sides;
  return `
        SELECT m.* FROM (${sides}) y
          JOIN LATERAL (SELECT m.* FROM messages m WHERE m.conversation_id = k.conversation_id AND m.sequence = y.message_sequence OFFSET 0) m ON true`;
}

/**
 * The last column and the sequence are compared as a row and both ordered by, though the column is always the same: so no other index than
 * the one that is meant has their order, and the planner cannot take another, whatever it believes of the numbers of rows.
 */
function side({ table, columns, where }: Walk, isForward: boolean): string {
  const sequence = table === 'messages' ? 'x.sequence' : 'x.message_sequence';
  const last = columns.at(-1);
  if (last === undefined) throw new Error('A walk must have a column before the sequence.');
  const given = columns.slice(0, -1).map(({ name, value }) => `${name} = ${value} AND `);
  const direction = isForward ? '' : ' DESC';
  return `
        (SELECT * FROM (SELECT x.* FROM ${table} x
           WHERE k.forward = ${isForward ? 1 : 0} AND x.conversation_id = k.conversation_id
             AND ${given.join('')}(${last.name}, ${sequence}) > (${last.value}, r.low) AND (${last.name}, ${sequence}) < (${last.value}, r.high) AND ${where}
           ORDER BY ${last.name}${direction}, ${sequence}${direction} LIMIT ${PAGE_ROWS_MAX}) x LIMIT k.size)`;
}
