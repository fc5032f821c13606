import type { Clock } from '../platform/clock.ts';
import { AppError, badInput } from '../platform/errors.ts';
import { newUuid } from '../platform/id.ts';
import type { Sql } from '../platform/postgres.ts';
import { codePointLength } from '../platform/text.ts';
import { isExternalId } from './claims.ts';
import * as store from './store.ts';
import { checkAvatarUrl, checkDisplayName, checkHandle, checkTier, type Tier, type User } from './user.ts';

export type ProfileChanges = {
  /** Undefined: unchanged. */
  readonly displayName?: string | null | undefined;
  /** Undefined: unchanged; null: no picture. */
  readonly avatarUrl?: string | null | undefined;
};

export type NewUser = {
  readonly handle: string;
  readonly displayName: string;
  readonly externalId: string | null;
  readonly avatarUrl: string | null;
  readonly tier: Tier | 'ANONYMOUS';
};

/** What happens to users by their own hand, an administrator's or the service's. Who may is for the caller to say. */
export type People = {
  /** BAD_USER_INPUT by the rules of user.ts. */
  updateProfile(userKey: number, changes: ProfileChanges): Promise<User>;
  /** The user of the external id, as they are, when there is one. CONFLICT when the handle is taken, or the external id is another handle's. */
  createUser(input: NewUser): Promise<store.TieredUser>;
  /** NOT_FOUND when there is no such user; so with the next two. */
  setTier(userUuid: string, tier: Tier | 'ANONYMOUS'): Promise<store.TieredUser>;
  /** Ends all their sessions, and lets nobody in as them. A second time changes nothing. */
  deactivate(userUuid: string): Promise<User>;
  /** Lets them in again; they have to sign in anew. */
  reactivate(userUuid: string): Promise<User>;
};

export type PeopleDependencies = {
  readonly sql: Sql;
  readonly clock: Clock;
  /** Told of users who were deactivated, or may do other things than before. */
  readonly onChanged: (userUuid: string) => void;
};

export function createPeople({ sql, clock, onChanged }: PeopleDependencies): People {
  const now = () => new Date(clock.now());
  return {
    async updateProfile(userKey, { displayName, avatarUrl }) {
      if (displayName === null)
        throw badInput('input.displayName', 'Display name must be 1 to 80 characters, got null: leave it out to keep it.');
      const changes = {
        ...(displayName !== undefined && { displayName: checkDisplayName(displayName) }),
        ...(avatarUrl !== undefined && { avatarUrl: avatarUrl === null ? null : checkAvatarUrl(avatarUrl) }),
      };
      return found(await store.updateProfile(sql, userKey, changes, now()));
    },

    async createUser({ handle, displayName, externalId, avatarUrl, tier }) {
      const input = {
        handle: checkHandle(handle),
        displayName: checkDisplayName(displayName),
        externalId: externalId === null ? null : checkExternalId('input.externalId', externalId),
        avatarUrl: avatarUrl === null ? null : checkAvatarUrl(avatarUrl),
        tier: checkTier(tier),
      };
      const created = await store.createUser(sql, newUuid(), input, now());
      if (created === null)
        throw new AppError('CONFLICT', `The handle "${input.handle}" is taken: choose another.`, { field: 'input.handle' });
      if (created.user.handle !== input.handle) {
        const message = `The external id belongs to the user "${created.user.handle}", whose handle stays: got "${input.handle}".`;
        throw new AppError('CONFLICT', message, { field: 'input.externalId' });
      }
      return created;
    },

    async setTier(userUuid, tier) {
      const checked = checkTier(tier);
      const user = found(await store.setTier(sql, userUuid, checked, now()));
      onChanged(userUuid);
      return { user, tier: checked };
    },

    async deactivate(userUuid) {
      if (!(await store.deactivateUser(sql, userUuid, now()))) throw noSuchUser();
      onChanged(userUuid);
      const [user = null] = await store.usersByUuid(sql, [userUuid]);
      return found(user);
    },

    async reactivate(userUuid) {
      const user = found(await store.reactivateUser(sql, userUuid));
      onChanged(userUuid);
      return user;
    },
  };
}

export function checkExternalId(field: string, externalId: string): string {
  if (isExternalId(externalId)) return externalId;
  throw badInput(field, `externalId must be 1 to 255 characters without NUL, got ${codePointLength(externalId)}.`);
}

function found(user: User | null): User {
  if (user === null) throw noSuchUser();
  return user;
}

function noSuchUser(): AppError {
  return new AppError('NOT_FOUND', 'There is no such user.');
}
