import { randomUUID } from 'node:crypto';
import type { App } from '../../../src/app.ts';
import { encodeId, encodeMemberId } from '../../../src/platform/id.ts';
import { PASSWORD } from '../person.ts';
import { type ObjectType, personOf, type Role, sessionIdOf, uuidOf, viewerIdOf, type World } from './world.ts';

/** What an argument's example may depend on. `target` is the type of the object that an id is to be of. */
export type ExampleInput = { readonly app: App; readonly world: World; readonly role: Role; readonly target: ObjectType | null };

/**
 * A value that works for each required argument and input field, by its coordinate or by its name alone; null leaves it out. Optional ones
 * are left out without an example.
 */
export const EXAMPLES: Readonly<Record<string, (input: ExampleInput) => unknown>> = {
  'Query.node.id': (input) => targetId(input),
  'Query.nodes.ids': (input) => [targetId(input)],
  'Query.conversation.id': ({ world }) => world.conversationId,
  'Query.user.handle': ({ world }) => world.cast.owner.handle,
  'Query.explainCost.document': () => '{ viewer { user { handle } } }',
  'Query.channels.query': ({ world }) => world.title ?? 'No channel has such a title',
  'Conversation.messages.last': () => 20,
  'Viewer.searchMessages.query': () => 'answer',

  'Subscription.conversationEvents.after': ({ world }) => world.after.cursor,
  'Subscription.viewerEvents.after': ({ world, role }) => world.after.viewerCursors.get(role) ?? null,

  'SignUpInput.handle': newHandle,
  displayName: () => 'New',
  password: () => PASSWORD,
  'SignInInput.handle': ({ world }) => world.cast.extra.handle,
  'RefreshSessionInput.refreshToken': async ({ app }) => {
    return (await app.parts.identity.signUp({ handle: newHandle(), displayName: 'New', password: PASSWORD })).refreshToken;
  },
  'AuthenticateSocketInput.accessToken': ({ world, role }) => (personOf(world, role) ?? world.cast.owner).accessToken,
  // Everybody's example is the owner's.
  'RevokeSessionInput.sessionId': ({ world }) => sessionIdOf(world.cast.elsewhere),
  'UpdateProfileInput.displayName': () => 'Renamed',

  'CreateUserInput.handle': newHandle,
  'SetUserTierInput.userId': newUserId,
  tier: () => 'STANDARD',
  'DeactivateUserInput.userId': newUserId,
  'ReactivateUserInput.userId': newUserId,

  'CreateConversationInput.kind': ({ world }) => world.kind,
  'CreateConversationInput.title': ({ world }) => world.title && 'One more',
  'CreateConversationInput.memberIds': ({ world }) => [world.cast.extra.id],
  'UpdateConversationInput.topic': () => `About ${randomUUID()}`,
  'AddMembersInput.userIds': ({ world }) => [world.cast.newcomer.id],
  userId: ({ world, role }) => (world.kind === 'DIRECT' ? world.cast[role === 'owner' ? 'member' : 'owner'] : world.cast.extra).id,
  'SetMemberRoleInput.role': () => 'ADMIN',
  'MarkReadInput.position': () => 1,
  conversationId: ({ world }) => world.conversationId,

  'SendMessageInput.clientMessageId': () => randomUUID(),
  body: () => `Something else ${randomUUID()}`,
  // Everybody's example is the member's message, so that there is one author; who was removed tries their own.
  messageId: ({ world, role }) => (role === 'removed' && world.messageIdOfRemoved) || world.messageId,
  'SetTypingInput.isTyping': () => true,
  'SetPresenceInput.presence': () => 'ONLINE',

  'AddReactionInput.emoji': () => '🎉',
  'RemoveReactionInput.emoji': () => '👍',
};

/** How an object of each type is asked for by its id. A Viewer and a Session are those of the owner, a Member the member. */
export const TARGET_IDS: { readonly [Type in ObjectType]: (world: World) => string } = {
  User: ({ cast }) => cast.owner.id,
  Viewer: ({ cast }) => viewerIdOf(cast.owner),
  Session: ({ cast }) => sessionIdOf(cast.owner),
  Conversation: ({ conversationId }) => conversationId,
  Member: ({ conversationId, cast }) => encodeMemberId(uuidOf('cnv', conversationId), uuidOf('usr', cast.member.id)),
  Message: ({ messageId }) => messageId,
};

function targetId({ world, target }: ExampleInput): string {
  if (target === null) throw new Error('An id by which an object is asked for must have a target.');
  return TARGET_IDS[target](world);
}

function newHandle(): string {
  return `new_${randomUUID().slice(0, 8)}`;
}

/** Of somebody who does nothing else. */
async function newUserId({ app }: ExampleInput): Promise<string> {
  const input = { handle: newHandle(), displayName: 'New', externalId: null, avatarUrl: null, tier: 'FREE' } as const;
  return encodeId('usr', (await app.parts.identity.createUser(input)).user.uuid);
}
