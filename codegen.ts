import type { CodegenConfig } from '@graphql-codegen/cli';

const EVENTS = [
  'MessageSent',
  'MessageChanged',
  'MemberChanged',
  'ConversationChanged',
  'CaughtUp',
  'TypingChanged',
  'ReadMoved',
  'PresenceChanged',
];

/** SDL → types only (erasable, nothing at run time). `npm run codegen` writes them, `npm run codegen:check` fails when they are not current. */
const config: CodegenConfig = {
  schema: 'schema/*.graphql',
  emitLegacyCommonJSImports: false,
  importExtension: '.ts',
  generates: {
    'src/graphql/schema.generated.ts': {
      plugins: [{ add: { content: '// Generated from schema/ by `npm run codegen`. Do not edit.' } }, 'typescript', 'typescript-resolvers'],
      config: {
        contextType: './context.ts#Context',
        mappers: {
          User: '../identity/user.ts#User as UserModel',
          Viewer: '../identity/identity.ts#Identity as IdentityModel',
          Session: '../identity/session.ts#UserSession as UserSessionModel',
          SessionConnection: './connection.ts#Connection<UserSessionModel>',
          SessionEdge: './connection.ts#Edge<UserSessionModel>',
          SessionPayload: '../identity/identity.ts#Session as SessionModel',
          Conversation: '../conversations/conversation.ts#Conversation as ConversationModel',
          Member: '../conversations/member.ts#Member as MemberModel',
          Message: '../messages/message.ts#Message as MessageModel',
          ConversationConnection: './connection.ts#Connection<ConversationModel>',
          MemberConnection: './connection.ts#CountedConnection<MemberModel>',
          UserConnection: './connection.ts#Connection<UserModel>',
          UserEdge: './connection.ts#Edge<UserModel>',
          ReactionGroup: '../messages/message.ts#ReactionGroup as ReactionGroupModel',
          MessageConnection: './connection.ts#Connection<MessageModel>',
          MessageEdge: '../messages/loaders.ts#MessageEdge as MessageEdgeModel',
          MemberEdge: './connection.ts#Edge<MemberModel>',
          ConversationEdge: './connection.ts#Edge<ConversationModel>',
          ConversationEvent: '../events/event.ts#ConversationEvent as EventModel',
          ...Object.fromEntries(EVENTS.map((name) => [name, `Extract<EventModel, { readonly __typename: '${name}' }>`])),
        },
        enumsAsTypes: true,
        useTypeImports: true,
        immutableTypes: true,
        strictScalars: true,
        scalars: {
          ID: 'string',
          DateTime: { input: 'Date', output: 'Date' },
          Cursor: 'string',
          EventCursor: { input: 'string', output: './snapshot.ts#EventCursorOutput' },
        },
        resolversNonOptionalTypename: { unionMember: true, interfaceImplementingType: true },
        avoidOptionals: { field: true, inputValue: false, object: false, defaultValue: true },
      },
    },
  },
};
export default config;
