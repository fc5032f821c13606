import DataLoader from 'dataloader';
import { connectionResolvers, forwardPage } from '../graphql/connection.ts';
import { type Context, requireOperator, requireViewer } from '../graphql/context.ts';
import { edge } from '../graphql/edges.ts';
import { perRequest } from '../graphql/per-request.ts';
import type { Resolvers } from '../graphql/schema.generated.ts';
import type { CursorCodec } from '../platform/cursor.ts';
import { AppError, badInput } from '../platform/errors.ts';
import { encodeId } from '../platform/id.ts';
import { sessionUuid, userUuid } from '../platform/id-arguments.ts';
import type { IdentityService } from './identity.ts';
import type { UserSession } from './session.ts';
import type { User } from './user.ts';

export type IdentityResolversDependencies = { readonly identity: IdentityService; readonly codec: CursorCodec };

export function createIdentityResolvers({ identity, codec }: IdentityResolversDependencies): Resolvers {
  const usersOf = perRequest(
    () =>
      new DataLoader<number, User | null>(async (keys) => {
        const users = await identity.usersByKey(keys);
        return keys.map((key) => users.get(key) ?? null);
      }),
  );

  async function userOf(context: Context, key: number): Promise<User> {
    const user = await usersOf(context).load(key);
    if (user === null) throw new AppError('NOT_FOUND', 'There is no such user.');
    return user;
  }

  return {
    Query: {
      viewer: (_, _arguments, { viewer }) => viewer,
      user(_, { handle = null, externalId = null }, context) {
        if (!context.isService) requireViewer(context);
        if (handle !== null && externalId !== null) throw badInput('externalId', 'externalId must not be given with handle, got both.');
        if (handle !== null) return identity.userByHandle(handle);
        if (externalId === null) throw badInput('handle', 'handle must be given, got none.');
        requireOperator(context);
        return identity.userByExternalId(externalId);
      },
    },

    Viewer: {
      id: ({ userUuid }) => encodeId('vwr', userUuid),
      user: ({ userKey }, _, context) => userOf(context, userKey),
      async sessions({ userKey, userUuid }, args) {
        const { first, after } = forwardPage(args);
        const list = `sessions:${userUuid}`;
        const [beforeKey = null] = after === null ? [] : codec.decode('after', list, after).map(Number);
        const sessions = await identity.sessions(userKey, beforeKey, first + 1);
        const edges = sessions.slice(0, first).map((session) => edge(codec, list, [session.key], session));
        return { edges, hasNextPage: sessions.length > first, hasPreviousPage: after !== null };
      },
    },

    Session: {
      id: ({ uuid }) => encodeId('ses', uuid),
      viewerIsCurrent: ({ uuid }, _, context) => context.viewer?.sessionUuid === uuid,
    },
    SessionConnection: connectionResolvers<UserSession>(),

    User: { id: ({ uuid }) => encodeId('usr', uuid) },

    Mutation: {
      signUp: (_, { input }) => identity.signUp(input),
      signIn: (_, { input }) => identity.signIn(input),
      refreshSession: (_, { input }) => identity.refreshSession(input.refreshToken),
      async signOut(_, { input }, context) {
        const viewer = requireViewer(context);
        await identity.signOut(viewer, input.everywhere);
        return { user: await userOf(context, viewer.userKey) };
      },
      async revokeSession(_, { input }, context) {
        const viewer = requireViewer(context);
        await identity.revokeSession(viewer, sessionUuid('input.sessionId', input.sessionId));
        return { revokedSessionId: input.sessionId, viewer };
      },
      async updateProfile(_, { input }, context) {
        const { userKey } = requireViewer(context);
        const user = await identity.updateProfile(userKey, input);
        usersOf(context).clear(userKey).prime(userKey, user);
        return { user };
      },
      createUser(_, { input }, context) {
        requireOperator(context);
        const { externalId = null, avatarUrl = null, ...rest } = input;
        return identity.createUser({ ...rest, externalId, avatarUrl });
      },
      setUserTier(_, { input }, context) {
        requireOperator(context);
        return identity.setTier(userUuid('input.userId', input.userId), input.tier);
      },
      async deactivateUser(_, { input }, context) {
        const operator = requireOperator(context);
        const uuid = userUuid('input.userId', input.userId);
        if (operator?.userUuid === uuid) throw new AppError('FORBIDDEN', 'Administrators must not deactivate themselves: another one may.');
        return { user: await identity.deactivate(uuid) };
      },
      async reactivateUser(_, { input }, context) {
        requireOperator(context);
        return { user: await identity.reactivate(userUuid('input.userId', input.userId)) };
      },
      async authenticateSocket(_, { input }, context) {
        const viewer = requireViewer(context);
        if (context.connection === undefined) throw badInput('input.accessToken', 'authenticateSocket must come over a WebSocket.');
        const renewed = await identity.authenticate(`Bearer ${input.accessToken}`);
        if (renewed.userUuid !== viewer.userUuid)
          throw new AppError('FORBIDDEN', 'A socket stays with its user: the access token must be of the same one.');
        context.connection.renew(renewed);
        return { viewer: renewed, expiresAt: new Date(renewed.expiresAtMs) };
      },
    },
  };
}
