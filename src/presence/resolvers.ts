import DataLoader from 'dataloader';
import type { ConversationLoaders } from '../conversations/loaders.ts';
import { type Context, requireViewer } from '../graphql/context.ts';
import { perRequest } from '../graphql/per-request.ts';
import type { Resolvers } from '../graphql/schema.generated.ts';
import { deviceOf, type IdentityService } from '../identity/identity.ts';
import { AppError } from '../platform/errors.ts';
import { conversationUuid } from '../platform/id-arguments.ts';
import type { PresenceService } from './presence.ts';
import type { Presence } from './rules.ts';
import type { Typing } from './typing.ts';

export type PresenceResolversDependencies = {
  readonly presence: PresenceService;
  readonly typing: Typing;
  readonly identity: Pick<IdentityService, 'userByUuid'>;
  readonly loaders: Pick<ConversationLoaders, 'note' | 'forget'>;
};

export function createPresenceResolvers({ presence, typing, identity, loaders }: PresenceResolversDependencies): Resolvers {
  const presenceOf = perRequest(
    (context) =>
      new DataLoader<number, Presence>(
        async (keys) => {
          const seen = await presence.seenBy(requireViewer(context).userKey, keys);
          return keys.map((key) => seen.get(key) ?? 'OFFLINE');
        },
        // It changes by the moment: an operation that sets and then reads it must see what it set.
        { cache: false },
      ),
  );

  /** Without a viewer, as in the answer to signUp, there is nobody who shares a conversation with the user. */
  function seen(context: Context, userKey: number): Presence | Promise<Presence> {
    return context.viewer === null ? 'OFFLINE' : presenceOf(context).load(userKey);
  }

  return {
    User: { presence: ({ key }, _, context) => seen(context, key) },

    Mutation: {
      async setTyping(_, { input }, context) {
        const viewer = requireViewer(context);
        const uuid = conversationUuid('input.conversationId', input.conversationId);
        const device = context.connection?.id ?? deviceOf(viewer);
        const conversation = await typing.set(viewer, device, uuid, input.isTyping);
        loaders.forget(context, conversation.key);
        return { conversation: loaders.note(context, conversation) };
      },
      async setPresence(_, { input }, context) {
        const viewer = requireViewer(context);
        await presence.say(viewer, context.connection?.id ?? null, input.presence);
        const user = await identity.userByUuid(viewer.userUuid);
        if (user === null) throw new AppError('NOT_FOUND', 'There is no such user.');
        return { user };
      },
    },
  };
}
