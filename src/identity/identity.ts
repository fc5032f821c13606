import DataLoader from 'dataloader';
import type { Clock } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import { decodeId, newUuid } from '../platform/id.ts';
import type { Sql } from '../platform/postgres.ts';
import { isSameSecret } from '../platform/same-secret.ts';
import type { Secrets } from '../platform/secrets.ts';
import { quoted } from '../platform/text.ts';
import { createAccessTokens } from './access-token.ts';
import { createExternalTokens, type ExternalTokensConfig } from './external-token.ts';
import { createPasswords } from './password.ts';
import { checkExternalId, createPeople, type People } from './people.ts';
import { newRefreshToken, refreshTokenHash } from './refresh-token.ts';
import type { UserSession } from './session.ts';
import * as store from './store.ts';
import { checkDisplayName, checkHandle, checkPassword, storedHandle, type User } from './user.ts';
import { type Identity, VerifiedTokens } from './verified-tokens.ts';

export { deviceOf, type Identity } from './verified-tokens.ts';

/** What somebody who signed in gets. */
export type Session = {
  readonly user: User;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Of the access token. */
  readonly expiresAt: Date;
};

/** What a request says of who sends it, word for word; null: nothing. */
export type Credentials = {
  /** `Bearer …`. */
  readonly authorization: string | null;
  /** The id of the user for whom the service acts. */
  readonly actingAs: string | null;
};

/** Who sends a request. */
export type Caller = {
  /** As whom it runs; null: as nobody. */
  readonly viewer: Identity | null;
  /** The product's own backend, as nobody: then service operations work, and no others that need a viewer. */
  readonly isService: boolean;
};

export type IdentityService = People & {
  /** FORBIDDEN when passwords are switched off. BAD_USER_INPUT by the rules of user.ts; CONFLICT when the handle is taken, also by somebody at the same moment. */
  signUp(input: { readonly handle: string; readonly displayName: string; readonly password: string }): Promise<Session>;
  /** UNAUTHENTICATED, with the same words and after the same time, when there is no such user and when the password is wrong. */
  signIn(input: { readonly handle: string; readonly password: string }): Promise<Session>;
  /** Spends the refresh token. One that comes back ends its session: of two who hold it, one is a thief. */
  refreshSession(refreshToken: string): Promise<Session>;
  /**
   * Ends the session, or all of the user's, and answers which. This process refuses their access tokens at once, others within a
   * second. FORBIDDEN for the one session of who has none: the identity provider's tokens are not ours to end.
   */
  signOut(identity: Identity, everywhere: boolean): Promise<{ readonly sessionUuids: readonly string[] }>;
  /** Ends one session of the user's own; NOT_FOUND for any other. Once more is the same. */
  revokeSession(identity: Identity, sessionUuid: string): Promise<void>;
  /** The sessions of the user that go on, newest first; those that began before the one of the key. */
  sessions(userKey: number, beforeKey: number | null, limit: number): Promise<readonly UserSession[]>;
  sessionByUuid(userKey: number, uuid: string): Promise<UserSession | null>;
  /** `Bearer …` → who it is. UNAUTHENTICATED when malformed, forged, expired, signed out or deactivated. */
  authenticate(authorization: string): Promise<Identity>;
  /**
   * Who sends a request, be it a user, the service, the service for a user, or nobody. Besides UNAUTHENTICATED: FORBIDDEN when anybody
   * but the service would act for another, BAD_USER_INPUT and NOT_FOUND when there is no such other.
   */
  identify(credentials: Credentials): Promise<Caller>;
  /** Each as it is now, by one statement; null where it must not go on. */
  review(identities: readonly Identity[]): Promise<ReadonlyMap<Identity, Identity | null>>;
  /** To be called when another process has deactivated or changed users. */
  lookAgain(userUuids: readonly string[]): void;
  userByExternalId(externalId: string): Promise<User | null>;
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
  readonly config: ExternalTokensConfig & {
    readonly arePasswordsEnabled: boolean;
    readonly serviceToken: string | null;
    readonly accessTokenTtlMs: number;
    readonly refreshTokenTtlMs: number;
    /** Passwords hashed at once. */
    readonly passwordHashesMax: number;
  };
  /** Told of sessions that have ended, by a sign-out or because a spent refresh token came back: their sockets must end too. */
  readonly onSessionsEnded?: (sessionUuids: readonly string[]) => void;
  /** Told of users who were deactivated, or may do other things than before: what is open in their name must be looked at. */
  readonly onUsersChanged?: (userUuids: readonly string[]) => void;
  /** Told of each handle and password that do not belong together. */
  readonly onSignInFailed?: () => void;
  /** Told why the identity provider's keys could not be had. */
  readonly onKeysUnavailable?: (error: unknown) => void;
};

const USERS_PER_STATEMENT_MAX = 1_000;

/** One space and three parts, as jose would take other forms too. The scheme's case does not matter (RFC 9110). */
const BEARER = /^bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i;
/** Ours are some 350 characters; providers put much more into theirs. */
const AUTHORIZATION_LENGTH_MAX = 8_192;
const NOBODY: Caller = { viewer: null, isService: false };
const SERVICE: Caller = { viewer: null, isService: true };

export function createIdentityService(dependencies: IdentityDependencies): IdentityService {
  const { sql, secrets, clock, config } = dependencies;
  const { onSessionsEnded = () => {}, onUsersChanged = () => {}, onSignInFailed = () => {}, onKeysUnavailable = () => {} } = dependencies;
  const accessTokens = createAccessTokens({ signingSeed: secrets.signingSeed, clock, ttlMs: config.accessTokenTtlMs });
  const externalTokens = createExternalTokens({ config, clock, onKeysUnavailable });
  const verifiedTokens = new VerifiedTokens({ sql, clock, accessTokens, externalTokens });
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

  const people = createPeople({
    sql,
    clock,
    onChanged(userUuid) {
      verifiedTokens.lookAgain([userUuid]);
      onUsersChanged([userUuid]);
    },
  });

  function requirePasswords(): void {
    if (!config.arePasswordsEnabled)
      throw new AppError('FORBIDDEN', 'Passwords are switched off here: sign in where your access token comes from.');
  }

  async function authenticate(authorization: string): Promise<Identity> {
    const token = authorization.length <= AUTHORIZATION_LENGTH_MAX ? BEARER.exec(authorization)?.[1] : undefined;
    if (token === undefined)
      throw new AppError('UNAUTHENTICATED', 'Authorization must be "Bearer", one space and an access token, got something else.');
    return verifiedTokens.identify(token);
  }

  function isService(authorization: string): boolean {
    if (config.serviceToken === null || authorization.length > AUTHORIZATION_LENGTH_MAX || !/^bearer /i.test(authorization)) return false;
    return isSameSecret(authorization.slice('Bearer '.length), config.serviceToken);
  }

  /** Whom the service acts for. */
  async function actedFor(id: string): Promise<Identity> {
    const uuid = decodeId('usr', id);
    if (uuid === null) throw new AppError('BAD_USER_INPUT', `Acting as must be followed by the id of a user (usr_…), got ${quoted(id)}.`);
    const viewer = await verifiedTokens.user(uuid);
    if (viewer === null) throw new AppError('NOT_FOUND', `There is no user ${id} to act as, or they were deactivated.`);
    return viewer;
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
    ...people,

    async signUp(input) {
      requirePasswords();
      const handle = checkHandle(input.handle);
      const displayName = checkDisplayName(input.displayName);
      const passwordHash = await passwords.hash(checkPassword(input.password));
      const { refreshToken, row } = newToken();
      const [uuid, sessionUuid] = [newUuid(), newUuid()];
      const key = await store.signUp(sql, { uuid, handle, displayName, passwordHash }, { sessionUuid, ...row });
      return sessionOf({ key, uuid, handle, displayName, avatarUrl: null, createdAt: row.at }, sessionUuid, refreshToken);
    },

    async signIn({ handle, password }) {
      requirePasswords();
      const stored = storedHandle(handle);
      const found = stored === null ? null : await store.userWithPassword(sql, stored);
      const belongs = await passwords.verify(password, found?.passwordHash ?? null);
      if (found === null || !belongs) {
        onSignInFailed();
        throw new AppError('UNAUTHENTICATED', 'Handle or password is wrong.');
      }
      const { refreshToken, row } = newToken();
      const sessionUuid = newUuid();
      const hasBegun = await store.beginSession(sql, found.user.key, { sessionUuid, ...row });
      if (!hasBegun) throw new AppError('UNAUTHENTICATED', 'The user was deactivated: ask an administrator.');
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
      if (sessionUuid === null && !everywhere)
        throw new AppError(
          'FORBIDDEN',
          'This access token is of no session here: sign out where it comes from, or here with everywhere: true.',
        );
      const sessionUuids = await store.endSessions(sql, sessionUuid, userKey, everywhere, new Date(clock.now()));
      end(sessionUuids);
      return { sessionUuids };
    },

    async revokeSession({ userKey }, sessionUuid) {
      const sessionUuids = await store.endSessions(sql, sessionUuid, userKey, false, new Date(clock.now()));
      if (sessionUuids.length === 0) throw new AppError('NOT_FOUND', 'There is no such session of yours.');
      end(sessionUuids);
    },

    sessions: (userKey, beforeKey, limit) => store.sessionsOf(sql, userKey, beforeKey, limit, new Date(clock.now())),
    sessionByUuid: (userKey, uuid) => store.sessionByUuid(sql, userKey, uuid, new Date(clock.now())),

    authenticate,

    async identify({ authorization, actingAs }) {
      if (authorization === null) {
        if (actingAs === null) return NOBODY;
        throw new AppError('UNAUTHENTICATED', 'Acting as another needs the service token as the authorization, got none.');
      }
      if (isService(authorization)) return actingAs === null ? SERVICE : { viewer: await actedFor(actingAs), isService: false };
      const viewer = await authenticate(authorization);
      if (actingAs !== null) throw new AppError('FORBIDDEN', 'Only the service may act as another, got an access token of a user.');
      return { viewer, isService: false };
    },

    review: (identities) => verifiedTokens.review(identities),
    lookAgain: (userUuids) => verifiedTokens.lookAgain(userUuids),

    async userByHandle(handle) {
      const stored = storedHandle(handle);
      return stored === null ? null : store.userByHandle(sql, stored);
    },

    userByExternalId: (externalId) => store.userByExternalId(sql, checkExternalId('externalId', externalId)),

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
