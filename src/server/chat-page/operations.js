/** Everything this page asks of the API. Nothing costs more than one operation of a FREE user may: test/cost-examples.test.ts adds it up. */

const MESSAGE_BASICS = `id clientMessageId position body bodyHtml createdAt editedAt deletedAt pinnedAt replyCount viewerReactions mentionsAll
  author { id handle displayName } mentions { id handle } threadRoot { id replyCount }`;
const MESSAGE = `${MESSAGE_BASICS} reactions { emoji count users(first: 5) { nodes { id displayName } } }`;
const MEMBER = 'role readPosition user { id handle displayName presence }';
/** Of all members two are enough to know with whom one talks in a DIRECT conversation. */
const CONVERSATION_FIELDS = `id kind topic createdAt sequence viewerTitle viewerRole viewerUnreadCount viewerReadPosition
  members(first: 2) { totalCount nodes { ${MEMBER} } } lastMessage { ${MESSAGE_BASICS} reactions { emoji count } }`;

export const SNAPSHOT = `query { viewer { cursor conversations(first: 100) { nodes { ${CONVERSATION_FIELDS} } } } }`;

/** Of what comes after the cursor of the snapshot; the client adds what it checks. */
export const EVENT = `
  ... on MessageSent { message { ${MESSAGE} } }
  ... on MessageChanged { messageChange message { ${MESSAGE} } }
  ... on TypingChanged { user { id displayName } isTyping }
  ... on ReadMoved { user { id } position }
  ... on PresenceChanged { user { id } presence }`;

export const CONVERSATION = `query ($id: ID!) { conversation(id: $id) { ${CONVERSATION_FIELDS} } }`;

/** One way to choose the page is given; the variables of the others are left out. */
export const PAGE = `query (
  $id: ID!, $filter: MessageFilter, $first: Int, $after: Cursor, $last: Int, $before: Cursor
  $around: ID, $aroundPosition: Int, $aroundSize: Int
) {
  conversation(id: $id) {
    sequence
    messages(
      filter: $filter, first: $first, after: $after, last: $last, before: $before
      around: $around, aroundPosition: $aroundPosition, aroundSize: $aroundSize
    ) {
      nodes { ${MESSAGE} } pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
    }
  }
}`;

export const MENTIONS = `query ($after: Cursor) {
  viewer { mentions(first: 20, after: $after) { nodes { ${MESSAGE} conversation { id viewerTitle } } pageInfo { hasNextPage endCursor } } }
}`;
export const SEARCH = `query ($query: String!, $after: Cursor) {
  viewer {
    searchMessages(query: $query, first: 20, after: $after) {
      edges { highlights { start length } node { ${MESSAGE} conversation { id viewerTitle } } } pageInfo { hasNextPage endCursor }
    }
  }
}`;
export const PEOPLE = `query ($id: ID!) { conversation(id: $id) { members(first: 100) { totalCount nodes { ${MEMBER} } } } }`;
export const CHANNELS = 'query { channels(first: 100) { nodes { id title viewerRole members { totalCount } } } }';
export const USER = 'query ($handle: String) { user(handle: $handle) { id } }';

export const SEND = `mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { ${MESSAGE} } } }`;
export const EDIT = 'mutation ($input: EditMessageInput!) { editMessage(input: $input) { cursor } }';
export const DELETE = 'mutation ($input: DeleteMessageInput!) { deleteMessage(input: $input) { cursor } }';
export const ADD_REACTION = 'mutation ($input: AddReactionInput!) { addReaction(input: $input) { cursor } }';
export const REMOVE_REACTION = 'mutation ($input: RemoveReactionInput!) { removeReaction(input: $input) { cursor } }';
export const PIN = 'mutation ($input: PinMessageInput!) { pinMessage(input: $input) { cursor } }';
export const UNPIN = 'mutation ($input: UnpinMessageInput!) { unpinMessage(input: $input) { cursor } }';
export const MARK_READ = `mutation ($input: MarkReadInput!) {
  markRead(input: $input) { conversation { sequence viewerReadPosition viewerUnreadCount } }
}`;
export const SET_TYPING = 'mutation ($input: SetTypingInput!) { setTyping(input: $input) { conversation { id } } }';
export const SET_PRESENCE = 'mutation ($input: SetPresenceInput!) { setPresence(input: $input) { user { id } } }';
export const ADD = 'mutation ($input: AddMembersInput!) { addMembers(input: $input) { cursor } }';
export const JOIN = `mutation ($input: JoinChannelInput!) { joinChannel(input: $input) { conversation { ${CONVERSATION_FIELDS} } } }`;
export const CREATE = `mutation ($input: CreateConversationInput!) {
  createConversation(input: $input) { conversation { ${CONVERSATION_FIELDS} } }
}`;
