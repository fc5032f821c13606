/** Everything this page asks of the API. */

const MESSAGE = 'id clientMessageId position body bodyHtml createdAt editedAt deletedAt author { id handle displayName }';
const CONVERSATION_FIELDS = `id kind topic createdAt sequence viewerTitle viewerRole viewerUnreadCount viewerReadPosition
  members(first: 1) { totalCount } lastMessage { ${MESSAGE} }`;

export const SNAPSHOT = `query { viewer { cursor conversations(first: 100) { nodes { ${CONVERSATION_FIELDS} } } } }`;

/** Of what comes after the cursor of the snapshot; the client adds what it checks. */
export const EVENT = `
  ... on MessageSent { message { ${MESSAGE} } }
  ... on MessageChanged { messageChange message { ${MESSAGE} } }`;

export const CONVERSATION = `query ($id: ID!) { conversation(id: $id) { ${CONVERSATION_FIELDS} } }`;

export const PAGE = `query ($id: ID!, $before: Cursor) {
  conversation(id: $id) {
    sequence
    messages(last: 30, before: $before) { nodes { ${MESSAGE} } pageInfo { hasPreviousPage startCursor } }
  }
}`;

export const CHANNELS = 'query { channels(first: 100) { nodes { id title viewerRole members { totalCount } } } }';
export const USER = 'query ($handle: String) { user(handle: $handle) { id } }';

export const SEND = `mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { ${MESSAGE} } } }`;
export const EDIT = 'mutation ($input: EditMessageInput!) { editMessage(input: $input) { cursor } }';
export const DELETE = 'mutation ($input: DeleteMessageInput!) { deleteMessage(input: $input) { cursor } }';
export const MARK_READ = 'mutation ($input: MarkReadInput!) { markRead(input: $input) { viewer { id } } }';
export const ADD = 'mutation ($input: AddMembersInput!) { addMembers(input: $input) { cursor } }';
export const JOIN = `mutation ($input: JoinChannelInput!) { joinChannel(input: $input) { conversation { ${CONVERSATION_FIELDS} } } }`;
export const CREATE = `mutation ($input: CreateConversationInput!) {
  createConversation(input: $input) { conversation { ${CONVERSATION_FIELDS} } }
}`;
