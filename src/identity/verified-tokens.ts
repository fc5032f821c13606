import DataLoader from 'dataloader';
import type { Clock } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import type { Sql } from '../platform/postgres.ts';
import { type AccessTokens, accessTokenExpired } from './access-token.ts';
import { type OpenSession, openSessions } from './store.ts';
import type { Tier } from './user.ts';

/** Who asks, by a verified access token of a session that goes on. */
export type Identity = {
  readonly userKey: number;
  readonly userUuid: string;
  readonly tier: Tier;
  readonly sessionUuid: string;
  /** When the access token expires, in milliseconds since 1970. */
  readonly expiresAtMs: number;
};

export type VerifiedTokensDependencies = { readonly sql: Sql; readonly clock: Clock; readonly accessTokens: AccessTokens };

const TOKENS_MAX = 10_000;
const ENDED_SESSIONS_MAX = 10_000;
/** How long an answer about a session is believed: one that was ended by another process is refused after this time at the latest. */
const RECHECK_MS = 1_000;
const SESSIONS_PER_STATEMENT_MAX = 1_000;

/** `checkedAt`: by the monotonic clock, before the database was asked. */
type Entry = { readonly identity: Identity; readonly checkedAt: number };

/**
 * Remembers which tokens were verified, so that a request costs neither a signature check nor a statement. Expiry is checked each
 * time; the session's row at most once in RECHECK_MS per token, together with those that other requests ask for in the same turn of
 * the event loop.
 */
export class VerifiedTokens {
  readonly #clock: Clock;
  readonly #accessTokens: AccessTokens;
  readonly #sessions: DataLoader<string, OpenSession | null>;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #underWay = new Map<string, Promise<Identity>>();
  /** Sessions ended by this process: an answer that was read before they ended, and comes after, must not bring them back. */
  readonly #ended = new Set<string>();

  constructor({ sql, clock, accessTokens }: VerifiedTokensDependencies) {
    this.#clock = clock;
    this.#accessTokens = accessTokens;
    this.#sessions = new DataLoader(
      async (uuids) => {
        const open = await openSessions(sql, uuids);
        return uuids.map((uuid) => open.get(uuid) ?? null);
      },
      { cache: false, maxBatchSize: SESSIONS_PER_STATEMENT_MAX },
    );
  }

  /** UNAUTHENTICATED when the token is forged or expired, or its session has ended. */
  async identify(token: string): Promise<Identity> {
    const entry = this.#entries.get(token);
    if (entry === undefined) return this.#once(token, () => this.#meet(token));
    if (this.#ended.has(entry.identity.sessionUuid)) {
      this.#entries.delete(token);
      throw sessionEnded();
    }
    if (entry.identity.expiresAtMs <= this.#clock.now()) {
      this.#entries.delete(token);
      throw accessTokenExpired();
    }
    if (this.#clock.monotonic() - entry.checkedAt >= RECHECK_MS) return this.#once(token, () => this.#check(token, entry.identity));
    this.#keep(token, entry);
    return entry.identity;
  }

  /** To be called as soon as sessions have ended: their tokens are refused from now on. */
  forget(sessionUuids: readonly string[]): void {
    for (const uuid of sessionUuids) {
      this.#ended.add(uuid);
      dropOldest(this.#ended, ENDED_SESSIONS_MAX);
    }
  }

  /** However many ask for a token at once, it is verified and its session is looked up once. */
  #once(token: string, find: () => Promise<Identity>): Promise<Identity> {
    const underWay = this.#underWay.get(token);
    if (underWay !== undefined) return underWay;
    const found = find().finally(() => this.#underWay.delete(token));
    this.#underWay.set(token, found);
    return found;
  }

  async #meet(token: string): Promise<Identity> {
    const claims = await this.#accessTokens.verify(token);
    return this.#check(token, claims);
  }

  async #check(token: string, claims: Pick<Identity, 'userUuid' | 'sessionUuid' | 'expiresAtMs'>): Promise<Identity> {
    const checkedAt = this.#clock.monotonic();
    const { userUuid, sessionUuid, expiresAtMs } = claims;
    const session = await this.#sessions.load(sessionUuid);
    if (session === null || session.userUuid !== userUuid || this.#ended.has(sessionUuid)) {
      this.#entries.delete(token);
      throw sessionEnded();
    }
    const identity = { userKey: session.userKey, userUuid, tier: session.tier, sessionUuid, expiresAtMs };
    this.#keep(token, { identity, checkedAt });
    return identity;
  }

  #keep(token: string, entry: Entry): void {
    this.#entries.delete(token);
    this.#entries.set(token, entry);
    dropOldest(this.#entries, TOKENS_MAX);
  }
}

function sessionEnded(): AppError {
  return new AppError('UNAUTHENTICATED', 'The session has ended: sign in again.');
}

/** Maps and sets are in the order of insertion. */
function dropOldest<Key>(collection: { readonly size: number; keys(): Iterator<Key>; delete(key: Key): boolean }, sizeMax: number): void {
  if (collection.size <= sizeMax) return;
  const { value, done } = collection.keys().next();
  if (done !== true) collection.delete(value);
}
