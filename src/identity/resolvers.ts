import DataLoader from 'dataloader';
import { type Context, requireViewer } from '../graphql/context.ts';
import { perRequest } from '../graphql/per-request.ts';
import type { Resolvers } from '../graphql/schema.generated.ts';
import { AppError, badInput } from '../platform/errors.ts';
import { encodeId } from '../platform/id.ts';
import type { IdentityService } from './identity.ts';
import type { User } from './user.ts';

export type IdentityResolversDependencies = { readonly identity: IdentityService };

export function createIdentityResolvers({ identity }: IdentityResolversDependencies): Resolvers {
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
      user(_, { handle }) {
        if (handle === null || handle === undefined) throw badInput('handle', 'handle must be given, got none.');
        return identity.userByHandle(handle);
      },
    },

    Viewer: {
      id: ({ userUuid }) => encodeId('vwr', userUuid),
      user: ({ userKey }, _, context) => userOf(context, userKey),
    },

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
