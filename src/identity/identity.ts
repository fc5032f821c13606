import DataLoader from 'dataloader';
import type { Clock } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import { newUuid } from '../platform/id.ts';
import type { Sql } from '../platform/postgres.ts';
import type { Secrets } from '../platform/secrets.ts';
import { createAccessTokens } from './access-token.ts';
import { createPasswords } from './password.ts';
import { newRefreshToken, refreshTokenHash } from './refresh-token.ts';
import * as store from './store.ts';
import { checkDisplayName, checkHandle, checkPassword, storedHandle, type User } from './user.ts';
import { type Identity, VerifiedTokens } from './verified-tokens.ts';

export type { Identity } from './verified-tokens.ts';

/** What somebody who signed in gets. */
export type Session = {
  readonly user: User;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Of the access token. */
  readonly expiresAt: Date;
};

export type IdentityService = {
  /** BAD_USER_INPUT by the rules of user.ts; CONFLICT when the handle is taken, also by somebody at the same moment. */
  signUp(input: { readonly handle: string; readonly displayName: string; readonly password: string }): Promise<Session>;
  /** UNAUTHENTICATED, with the same words and after the same time, when there is no such user and when the password is wrong. */
  signIn(input: { readonly handle: string; readonly password: string }): Promise<Session>;
  /** Spends the refresh token. One that comes back ends its session: of two who hold it, one is a thief. */
  refreshSession(refreshToken: string): Promise<Session>;
  /** Ends the session, or all of the user's, and answers which. This process refuses their access tokens at once, others within a second. */
  signOut(identity: Identity, everywhere: boolean): Promise<{ readonly sessionUuids: readonly string[] }>;
  /** `Bearer …` → who it is. UNAUTHENTICATED when malformed, forged, expired or signed out. */
  authenticate(authorization: string): Promise<Identity>;
  /** Upper and lower case are the same. */
  userByHandle(handle: string): Promise<User | null>;
  userByUuid(uuid: string): Promise<User | null>;
  /** Unknown keys are left out. */
  usersByKey(keys: readonly number[]): Promise<ReadonlyMap<number, User>>;
  /** Unknown UUIDs are left out. */
  userKeysByUuid(uuids: readonly string[]): Promise<ReadonlyMap<string, number>>;
};

export type IdentityDependencies = {
  readonly sql: Sql;
  readonly secrets: Pick<Secrets, 'signingSeed'>;
  readonly clock: Clock;
  readonly config: {
    readonly accessTokenTtlMs: number;
    readonly refreshTokenTtlMs: number;
    /** Passwords hashed at once. */
    readonly passwordHashesMax: number;
  };
  /** Told of sessions that have ended, by a sign-out or because a spent refresh token came back: their sockets must end too. */
  readonly onSessionsEnded?: (sessionUuids: readonly string[]) => void;
};

const USERS_PER_STATEMENT_MAX = 1_000;

/** One space and three parts, as jose would take other forms too. The scheme's case does not matter (RFC 9110). */
const BEARER = /^bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i;
/** Ours are some 350 characters. */
const AUTHORIZATION_LENGTH_MAX = 1_024;

export function createIdentityService(dependencies: IdentityDependencies): IdentityService {
  const { sql, secrets, clock, config, onSessionsEnded = () => {} } = dependencies;
  const accessTokens = createAccessTokens({ signingSeed: secrets.signingSeed, clock, ttlMs: config.accessTokenTtlMs });
  const verifiedTokens = new VerifiedTokens({ sql, clock, accessTokens });
  const passwords = createPasswords({ hashesMax: config.passwordHashesMax });

  // Remembers nothing: it only brings together what is asked for in the same turn of the event loop.
  const users = new DataLoader<string, User | null>(
    async (uuids) => {
      const found = new Map((await store.usersByUuid(sql, uuids)).map((user) => [user.uuid, user]));
      return uuids.map((uuid) => found.get(uuid) ?? null);
    },
    { cache: false, maxBatchSize: USERS_PER_STATEMENT_MAX },
  );

  function end(sessionUuids: readonly string[]): void {
    verifiedTokens.forget(sessionUuids);
    if (sessionUuids.length > 0) onSessionsEnded(sessionUuids);
  }

  function newToken() {
    const refreshToken = newRefreshToken();
    const at = clock.now();
    const row = { tokenHash: hashOf(refreshToken), at: new Date(at), expiresAt: new Date(at + config.refreshTokenTtlMs) };
    return { refreshToken, row };
  }

  async function sessionOf(user: User, sessionUuid: string, refreshToken: string): Promise<Session> {
    const { token, expiresAt } = await accessTokens.sign(user.uuid, sessionUuid);
    return { user, accessToken: token, refreshToken, expiresAt };
  }

  return {
    async signUp(input) {
      const handle = checkHandle(input.handle);
      const displayName = checkDisplayName(input.displayName);
      const passwordHash = await passwords.hash(checkPassword(input.password));
      const { refreshToken, row } = newToken();
      const [uuid, sessionUuid] = [newUuid(), newUuid()];
      const key = await store.signUp(sql, { uuid, handle, displayName, passwordHash }, { sessionUuid, ...row });
      return sessionOf({ key, uuid, handle, displayName, avatarUrl: null, createdAt: row.at }, sessionUuid, refreshToken);
    },

    async signIn({ handle, password }) {
      const stored = storedHandle(handle);
      const found = stored === null ? null : await store.userWithPassword(sql, stored);
      const belongs = await passwords.verify(password, found?.passwordHash ?? null);
      if (found === null || !belongs) throw new AppError('UNAUTHENTICATED', 'Handle or password is wrong.');
      const { refreshToken, row } = newToken();
      const sessionUuid = newUuid();
      await store.openSession(sql, found.user.key, { sessionUuid, ...row });
      return sessionOf(found.user, sessionUuid, refreshToken);
    },

    async refreshSession(oldToken) {
      const oldHash = refreshTokenHash(oldToken);
      if (oldHash === null) throw refreshRefusal('UNKNOWN');
      const { refreshToken, row } = newToken();
      const { status, held } = await store.refreshSession(sql, oldHash, row);
      if (status === 'REUSED' && held !== null) end([held.sessionUuid]);
      if (status !== 'REFRESHED') throw refreshRefusal(status);
      if (held === null) throw new Error('A session that goes on must have a user.');
      return sessionOf(held.user, held.sessionUuid, refreshToken);
    },

    async signOut({ sessionUuid, userKey }, everywhere) {
      const sessionUuids = await store.endSessions(sql, sessionUuid, userKey, everywhere, new Date(clock.now()));
      end(sessionUuids);
      return { sessionUuids };
    },

    async authenticate(authorization) {
      const token = authorization.length <= AUTHORIZATION_LENGTH_MAX ? BEARER.exec(authorization)?.[1] : undefined;
      if (token === undefined)
        throw new AppError('UNAUTHENTICATED', 'Authorization must be "Bearer", one space and an access token, got something else.');
      return verifiedTokens.identify(token);
    },

    async userByHandle(handle) {
      const stored = storedHandle(handle);
      return stored === null ? null : store.userByHandle(sql, stored);
    },

    userByUuid: (uuid) => users.load(uuid),

    async usersByKey(keys) {
      const users = keys.length === 0 ? [] : await store.usersByKey(sql, keys);
      return new Map(users.map((user) => [user.key, user]));
    },

    async userKeysByUuid(uuids) {
      const users = uuids.length === 0 ? [] : await store.usersByUuid(sql, uuids);
      return new Map(users.map((user) => [user.uuid, user.key]));
    },
  };
}

function hashOf(refreshToken: string): string {
  const hash = refreshTokenHash(refreshToken);
  if (hash === null) throw new Error('A new refresh token must have the form of one.');
  return hash;
}

function refreshRefusal(status: 'UNKNOWN' | 'EXPIRED' | 'REUSED'): AppError {
  switch (status) {
    case 'UNKNOWN':
      return new AppError('UNAUTHENTICATED', 'The refresh token is not valid, or its session has ended: sign in again.');
    case 'EXPIRED':
      return new AppError('UNAUTHENTICATED', 'The refresh token has expired: sign in again.');
    case 'REUSED':
      return new AppError('UNAUTHENTICATED', 'The refresh token was used before, so its session was ended: sign in again.');
  }
}
