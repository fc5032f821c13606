import { createHash } from 'node:crypto';
import DataLoader from 'dataloader';
import type { Clock } from '../platform/clock.ts';
import { dropOldest } from '../platform/drop-oldest.ts';
import { AppError } from '../platform/errors.ts';
import { newUuid } from '../platform/id.ts';
import type { Sql } from '../platform/postgres.ts';
import { type AccessTokens, accessTokenExpired } from './access-token.ts';
import { type ExternalTokens, isOurs } from './external-token.ts';
import { type ActiveUser, activeUsers, connectedUsers, meetExternalUser, type Subject } from './store.ts';
import type { Tier, UserRole } from './user.ts';

/** Who asks, by a verified access token, or by the word of the service. */
export type Identity = {
  readonly userKey: number;
  readonly userUuid: string;
  readonly tier: Tier;
  readonly role: UserRole;
  /** Null when there is no session of ours: by a token of the identity provider, or by the service. Then the user alone must go on. */
  readonly sessionUuid: string | null;
  /** When the access token expires, in milliseconds since 1970; Infinity by the service. */
  readonly expiresAtMs: number;
};

/** What stands for one of a person's devices: their session; without sessions all are one. */
export function deviceOf({ sessionUuid, userUuid }: Pick<Identity, 'sessionUuid' | 'userUuid'>): string {
  return sessionUuid ?? userUuid;
}

export type VerifiedTokensDependencies = {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly accessTokens: AccessTokens;
  /** Null when only our own tokens are believed. */
  readonly externalTokens: ExternalTokens | null;
};

const ENTRIES_MAX = 10_000;
const ENDED_SESSIONS_MAX = 10_000;
/** How long an answer about a session or a user is believed: what another process ended is refused after this time at the latest. */
const RECHECK_MS = 1_000;
const SUBJECTS_PER_STATEMENT_MAX = 1_000;
/** A longer token is kept by its hash. Ours are some 350 characters. */
const KEPT_TOKEN_LENGTH_MAX = 512;

/** `checkedAt`: by the monotonic clock, before the database was asked. */
type Entry = { readonly identity: Identity; readonly checkedAt: number };

/**
 * Remembers which tokens were verified, so that a request costs neither a signature check nor a statement. Expiry is checked each
 * time; the row of the session, or of the user where there is none, at most once in RECHECK_MS per token, together with those that
 * other requests ask for in the same turn of the event loop.
 */
export class VerifiedTokens {
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #accessTokens: AccessTokens;
  readonly #externalTokens: ExternalTokens | null;
  readonly #active: DataLoader<Subject, ActiveUser | null>;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #underWay = new Map<string, Promise<Identity>>();
  /** Sessions ended by this process: an answer that was read before they ended, and comes after, must not bring them back. */
  readonly #ended = new Set<string>();
  /** Of what is known of users: an answer that was read in an older state is read again. */
  #state = 0;

  constructor({ sql, clock, accessTokens, externalTokens }: VerifiedTokensDependencies) {
    this.#sql = sql;
    this.#clock = clock;
    this.#accessTokens = accessTokens;
    this.#externalTokens = externalTokens;
    this.#active = new DataLoader(
      async (subjects) => {
        const active = await activeUsers(sql, subjects);
        return subjects.map((subject) => active.get(keyOf(subject)) ?? null);
      },
      { cache: false, maxBatchSize: SUBJECTS_PER_STATEMENT_MAX },
    );
  }

  /** UNAUTHENTICATED when the token is forged or expired, its session has ended, or its user was deactivated. */
  async identify(token: string): Promise<Identity> {
    const key = token.length <= KEPT_TOKEN_LENGTH_MAX ? token : createHash('sha256').update(token).digest('base64url');
    return this.#find(key, () => this.#meet(key, token));
  }

  /** Null when there is no such user, or they were deactivated. */
  async user(userUuid: string): Promise<Identity | null> {
    const subject = { userUuid, sessionUuid: null, expiresAtMs: Number.POSITIVE_INFINITY };
    const key = `user ${userUuid}`; // No token holds a space.
    return this.#find(key, () => this.#check(key, subject)).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'UNAUTHENTICATED') return null;
      throw error;
    });
  }

  /** Each as it is now, by one statement; null where it must not go on. */
  async review(identities: readonly Identity[]): Promise<ReadonlyMap<Identity, Identity | null>> {
    const active = await connectedUsers(this.#sql, identities);
    return new Map(
      identities.map((identity) => {
        const found = active.get(keyOf(identity));
        if (found?.userUuid !== identity.userUuid || this.#isEnded(identity)) return [identity, null];
        const isSame = found.tier === identity.tier && found.role === identity.role;
        return [identity, isSame ? identity : { ...identity, ...found }];
      }),
    );
  }

  /** To be called as soon as sessions have ended: their tokens are refused from now on. */
  forget(sessionUuids: readonly string[]): void {
    for (const uuid of sessionUuids) {
      this.#ended.add(uuid);
      dropOldest(this.#ended, ENDED_SESSIONS_MAX);
    }
  }

  /** To be called as soon as users were deactivated or changed: they are looked at anew from now on. */
  lookAgain(userUuids: readonly string[]): void {
    if (userUuids.length === 0) return;
    this.#state += 1;
    for (const [key, { identity }] of this.#entries) {
      if (userUuids.includes(identity.userUuid)) this.#entries.set(key, { identity, checkedAt: Number.NEGATIVE_INFINITY });
    }
  }

  async #find(key: string, meet: () => Promise<Identity>): Promise<Identity> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return this.#once(key, meet);
    if (this.#isEnded(entry.identity)) {
      this.#entries.delete(key);
      throw sessionEnded(entry.identity);
    }
    if (entry.identity.expiresAtMs <= this.#clock.now()) {
      this.#entries.delete(key);
      throw accessTokenExpired();
    }
    if (this.#clock.monotonic() - entry.checkedAt >= RECHECK_MS) return this.#once(key, () => this.#check(key, entry.identity));
    this.#keep(key, entry);
    return entry.identity;
  }

  /** However many ask for a token at once, it is verified and its row is looked up once. */
  #once(key: string, find: () => Promise<Identity>): Promise<Identity> {
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay;
    const found = find().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, found);
    return found;
  }

  async #meet(key: string, token: string): Promise<Identity> {
    if (this.#externalTokens !== null && !isOurs(token)) return this.#meetExternal(key, token, this.#externalTokens);
    return this.#check(key, await this.#accessTokens.verify(token));
  }

  async #meetExternal(key: string, token: string, externalTokens: ExternalTokens): Promise<Identity> {
    const { expiresAtMs, issuedAt, ...claims } = await externalTokens.verify(token);
    const state = this.#state;
    const checkedAt = this.#clock.monotonic();
    const { isDeactivated, ...user } = await meetExternalUser(this.#sql, newUuid(), claims, issuedAt, new Date(this.#clock.now()));
    const identity = { ...user, sessionUuid: null, expiresAtMs };
    if (state !== this.#state) return this.#check(key, identity);
    if (isDeactivated) throw sessionEnded(identity);
    this.#keep(key, { identity, checkedAt });
    return identity;
  }

  async #check(key: string, claims: Pick<Identity, 'userUuid' | 'sessionUuid' | 'expiresAtMs'>): Promise<Identity> {
    const { userUuid, sessionUuid, expiresAtMs } = claims;
    let checkedAt: number;
    let state: number;
    let user: ActiveUser | null;
    do {
      checkedAt = this.#clock.monotonic();
      state = this.#state;
      user = await this.#active.load({ userUuid, sessionUuid });
    } while (state !== this.#state);
    if (user === null || user.userUuid !== userUuid || this.#isEnded(claims)) {
      this.#entries.delete(key);
      throw sessionEnded(claims);
    }
    const identity = { ...user, sessionUuid, expiresAtMs };
    this.#keep(key, { identity, checkedAt });
    return identity;
  }

  #isEnded({ sessionUuid }: Pick<Identity, 'sessionUuid'>): boolean {
    return sessionUuid !== null && this.#ended.has(sessionUuid);
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    dropOldest(this.#entries, ENTRIES_MAX);
  }
}

function keyOf({ sessionUuid, userUuid }: Subject): string {
  return sessionUuid ?? userUuid;
}

function sessionEnded({ sessionUuid }: Pick<Identity, 'sessionUuid'>): AppError {
  return new AppError(
    'UNAUTHENTICATED',
    sessionUuid === null ? 'The user was deactivated: ask an administrator.' : 'The session has ended: sign in again.',
  );
}
