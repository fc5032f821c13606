/** What every event has, whatever else is selected: enough to check that nothing is missing. */
export type ChainedEvent = {
  readonly __typename: string;
  readonly conversationId: string | null;
  readonly sequence: number | null;
  readonly previousSequence: number | null;
  /** Null for passing signals, which are not kept. */
  readonly cursor: string | null;
  /** On MemberChanged: whom it is about, and their membership, null when they are in the conversation no longer. */
  readonly user?: { readonly id: string };
  readonly member?: { readonly id: string } | null;
};

export const CHAIN = '__typename conversationId sequence previousSequence cursor ... on MemberChanged { user { id } member { id } }';

type User = { readonly id: string; readonly handle: string; readonly displayName: string };
export type Message = {
  readonly id: string;
  readonly clientMessageId: string;
  readonly position: number;
  readonly body: string | null;
  readonly createdAt: string;
  readonly editedAt: string | null;
  readonly deletedAt: string | null;
  readonly author: User;
};
type Conversation = { readonly id: string; readonly title: string | null; readonly topic: string | null };
type MessageChange = 'EDITED' | 'DELETED' | 'REACTIONS' | 'PIN' | 'SEVERAL';
type MemberChange = 'JOINED' | 'LEFT' | 'REMOVED' | 'ROLE' | 'SEVERAL';

/** An event as SELECTION selects it. Kinds that are added later arrive too: pass over what you do not know. */
export type ConversationEvent = ChainedEvent &
  (
    | { readonly __typename: 'MessageSent'; readonly message: Message }
    | { readonly __typename: 'MessageChanged'; readonly message: Message; readonly messageChange: MessageChange }
    | {
        readonly __typename: 'MemberChanged';
        readonly user: User;
        readonly member: { readonly id: string; readonly role: 'OWNER' | 'ADMIN' | 'MEMBER' } | null;
        readonly memberChange: MemberChange;
      }
    | { readonly __typename: 'ConversationChanged'; readonly conversation: Conversation }
    | { readonly __typename: 'CaughtUp' }
  );

const USER = 'id handle displayName';
const MESSAGE = `message { id clientMessageId position body createdAt editedAt deletedAt author { ${USER} } }`;
export const SELECTION = `
  ... on MessageSent { ${MESSAGE} } ... on MessageChanged { messageChange ${MESSAGE} }
  ... on MemberChanged { memberChange user { ${USER} } member { role } } ... on ConversationChanged { conversation { id title topic } }`;
