import { randomUUID } from 'node:crypto';
import type { App } from '../../../src/app.ts';
import { decodeId, encodeId, encodeMemberId } from '../../../src/platform/id.ts';
import { PASSWORD } from '../person.ts';
import type { ObjectType, Role, World } from './world.ts';

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
  'Query.channels.query': ({ world }) => world.title ?? 'No channel has such a title',
  'Conversation.messages.last': () => 20,

  'Subscription.conversationEvents.after': ({ world }) => world.after.cursor,
  'Subscription.viewerEvents.after': ({ world, role }) => world.after.viewerCursors.get(role) ?? null,

  'SignUpInput.handle': () => `new_${randomUUID().slice(0, 8)}`,
  'SignUpInput.displayName': () => 'New',
  password: () => PASSWORD,
  'SignInInput.handle': ({ world }) => world.cast.extra.handle,
  'RefreshSessionInput.refreshToken': async ({ app }) => {
    const handle = `new_${randomUUID().slice(0, 8)}`;
    return (await app.parts.identity.signUp({ handle, displayName: 'New', password: PASSWORD })).refreshToken;
  },
  'AuthenticateSocketInput.accessToken': ({ world, role }) => world.cast[role === 'anonymous' ? 'owner' : role].accessToken,

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

/** How an object of each type is asked for by its id. A Viewer is that of the owner, a Member the member. */
export const TARGET_IDS: { readonly [Type in ObjectType]: (world: World) => string } = {
  User: ({ cast }) => cast.owner.id,
  Viewer: ({ cast }) => encodeId('vwr', uuidOf('usr', cast.owner.id)),
  Conversation: ({ conversationId }) => conversationId,
  Member: ({ conversationId, cast }) => encodeMemberId(uuidOf('cnv', conversationId), uuidOf('usr', cast.member.id)),
  Message: ({ messageId }) => messageId,
};

function targetId({ world, target }: ExampleInput): string {
  if (target === null) throw new Error('An id by which an object is asked for must have a target.');
  return TARGET_IDS[target](world);
}

function uuidOf(prefix: 'usr' | 'cnv', id: string): string {
  const uuid = decodeId(prefix, id);
  if (uuid === null) throw new Error(`Must be an id of ${prefix}, got ${id}.`);
  return uuid;
}
