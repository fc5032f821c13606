import type { Sql } from '../platform/postgres.ts';
import { type RoundPage, type RoundRequest, readHeads, readRound, readStart, type Start } from './changes.ts';
import { type Check, type Resume, readCheck, readResume, type ViewerCursor } from './resume-changes.ts';

/** All that streams and the hub read. Each answers from one snapshot, and rejects with OVERLOADED when it may be asked again. */
export type ChangeReader = {
  /** Head, audience and page of one conversation. May hold fewer changes than asked for; `hasMore` says whether that is all. */
  round(request: RoundRequest): Promise<RoundPage>;
  /** Where a subscription of a user to one conversation begins that goes on after a sequence. */
  start(conversationKey: number, userKey: number, after: number): Promise<Start>;
  /** The sequences of conversations, by key. */
  heads(conversationKeys: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** How far conversations and inboxes really are. */
  check(conversationKeys: readonly number[], userKeys: readonly number[]): Promise<Check>;
  /** All conversations of a person, and where to go on in each after a cursor. */
  resume(userKey: number, after: ViewerCursor | null): Promise<Resume>;
};

export function createChangeReader(sql: Sql): ChangeReader {
  return {
    round: (request) => readRound(sql, request),
    start: (conversationKey, userKey, after) => readStart(sql, conversationKey, userKey, after),
    heads: (conversationKeys) => readHeads(sql, conversationKeys),
    check: (conversationKeys, userKeys) => readCheck(sql, conversationKeys, userKeys),
    resume: (userKey, after) => readResume(sql, userKey, after),
  };
}
