import type { PageFilter } from './pages/page.ts';
import {
  AUTHOR_WALK,
  LIST_WALK,
  PINNED_WALK,
  pageReader,
  REACTED_AUTHOR_WALK,
  REACTED_WALK,
  type ReadPages,
  type ReadPagesOfMany,
  UNREACTED_AUTHOR_WALK,
  UNREACTED_WALK,
} from './pages/store.ts';
import { readTextPages } from './pages/text-store.ts';

/** How pages under a filter are read. */
export type PagePlan = {
  /** For metrics and logs. There are few. */
  readonly name: string;
  /** Why this one, for people. */
  readonly reason: string;
} & (
  | { readonly isOpenEnded: false; readonly read: ReadPagesOfMany }
  /** No index bounds how many rows it passes over before a page is full: it runs apart from the short statements, under its own deadline. */
  | { readonly isOpenEnded: true; readonly read: ReadPages }
);

type Candidate = PagePlan & { readonly fits: (filter: PageFilter) => boolean };

/**
 * The first that fits is taken, the most selective first: what is rare by rule, what has an index of its own, the whole list. The times of
 * a filter and the place of a page decide nothing here: in every plan they become sequences, between which the walk goes.
 *
 * What is asked beyond the index that is walked is looked at in each row: not pinned, of which at most 100 in a conversation are passed over;
 * of pinned messages everything, as there are at most 100; and without reactions, of which any number may be passed over.
 */
const CANDIDATES: readonly Candidate[] = [
  {
    name: 'text',
    reason:
      'What messages say is looked for in blocks of them, from the end on: the newest as they stand, older ones by an index, if they are not common. Of pinned messages, at most 100, each is looked at; of those with reactions, where these are far apart.',
    isOpenEnded: true,
    fits: ({ text }) => text !== null,
    read: readTextPages,
  },
  {
    name: 'pinned',
    reason: 'At most 100 messages of a conversation are pinned: their marks are walked, and whatever else is asked is looked at in them.',
    isOpenEnded: false,
    fits: ({ pinned }) => pinned === true,
    read: pageReader(PINNED_WALK),
  },
  {
    name: 'reacted-author',
    reason: 'The marks of messages with reactions stand by author, too: common or rare, each mark that is read is one of the page.',
    isOpenEnded: false,
    fits: ({ hasReactions, authorUuid }) => hasReactions === true && authorUuid !== null,
    read: pageReader(REACTED_AUTHOR_WALK),
  },
  {
    name: 'reacted',
    reason: 'Messages with reactions have marks in an index of their own: each that is read is one of the page.',
    isOpenEnded: false,
    fits: ({ hasReactions }) => hasReactions === true,
    read: pageReader(REACTED_WALK),
  },
  {
    name: 'author-unreacted',
    reason: 'What the author wrote is walked, passing over what has reactions: most messages have none, but nothing bounds how many do.',
    isOpenEnded: true,
    fits: ({ hasReactions, authorUuid }) => hasReactions === false && authorUuid !== null,
    read: pageReader(UNREACTED_AUTHOR_WALK),
  },
  {
    name: 'list-unreacted',
    reason: 'The list is walked, passing over what has reactions: most messages have none, but nothing bounds how many do.',
    isOpenEnded: true,
    fits: ({ hasReactions }) => hasReactions === false,
    read: pageReader(UNREACTED_WALK),
  },
  {
    name: 'author',
    reason: 'What one author wrote in a list is a range of an index: an active one costs what a silent one does.',
    isOpenEnded: false,
    fits: ({ authorUuid }) => authorUuid !== null,
    read: pageReader(AUTHOR_WALK),
  },
  {
    name: 'list',
    reason: 'The messages in no thread, and those of each thread, are a range of an index: every row that is read is one of the page.',
    isOpenEnded: false,
    fits: () => true,
    read: pageReader(LIST_WALK),
  },
];

export const PLANS: readonly PagePlan[] = CANDIDATES;

export function planPage(filter: PageFilter): PagePlan {
  const found = CANDIDATES.find(({ fits }) => fits(filter));
  if (found === undefined) throw new Error('The last plan must fit every filter.');
  return found;
}
