type Example = { readonly query: string; readonly variables?: string };

/** GraphiQL takes comments in its JSON: nothing is sent until somebody has a token to put in. */
export const HEADERS = `{
  // Signed up? Put your access token in here,
  // and take the slashes away. All tabs send it.
  // "Authorization": "Bearer <accessToken>"
}`;

/** The tabs one finds in GraphiQL: from nobody to a conversation that is followed live. Some need an id that another answered. */
export const EXAMPLES: readonly Example[] = [
  {
    query: `# 1. Become somebody. Then put the accessToken
# into Headers below.
mutation SignUp($input: SignUpInput!) {
  signUp(input: $input) {
    user { id handle displayName }
    accessToken
    refreshToken
    expiresAt
  }
}
`,
    variables: JSON.stringify({ input: { handle: 'ada', displayName: 'Ada Lovelace', password: 'correct horse battery' } }, null, 2),
  },
  {
    query: `# 2. Open a conversation. Copy its id for the
# tabs 4, 5, 7 and 8.
mutation CreateConversation($input: CreateConversationInput!) {
  createConversation(input: $input) {
    conversation { id kind title cursor }
  }
}
`,
    variables: JSON.stringify({ input: { kind: 'GROUP', title: 'Analytical engines' } }, null, 2),
  },
  {
    query: `# 3. Follow your conversations, over a WebSocket.
# Run this in a second window, with its Headers:
# leaving a tab of GraphiQL ends what it follows.
subscription Follow($after: EventCursor) {
  viewerEvents(after: $after) {
    __typename
    conversationId
    previousSequence
    sequence
    cursor
    ... on MessageSent { message { id position body author { handle } threadRoot { id replyCount } } }
    ... on MessageChanged { messageChange message { id body reactions { emoji count } } }
    ... on TypingChanged { user { handle } isTyping }
    ... on ReadMoved { user { handle } position }
  }
}
`,
    variables: JSON.stringify({ after: null }, null, 2),
  },
  {
    query: `# 4. Send, with the conversation's id in Variables.
# A repeat with the same clientMessageId answers
# the first message. Copy its id for tabs 5 and 6.
mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) {
    message { id position body createdAt }
    cursor
  }
}
`,
    variables: JSON.stringify({ input: { conversationId: 'cnv_…', clientMessageId: 'first', body: 'Hello, **engine**.' } }, null, 2),
  },
  {
    query: `# 5. Answer in the thread of that message, with
# both ids in Variables. The thread stands apart:
# the conversation shows how long it is.
mutation Reply($input: SendMessageInput!) {
  sendMessage(input: $input) {
    message { id position body threadRoot { id replyCount } }
  }
}
`,
    variables: JSON.stringify(
      { input: { conversationId: 'cnv_…', threadRootId: 'msg_…', clientMessageId: 'second', body: 'Hello yourself.' } },
      null,
      2,
    ),
  },
  {
    query: `# 6. React to it. Once more changes nothing;
# removeReaction takes it away.
mutation React($input: AddReactionInput!) {
  addReaction(input: $input) {
    message { reactions { emoji count } viewerReactions }
  }
}
`,
    variables: JSON.stringify({ input: { messageId: 'msg_…', emoji: '👍' } }, null, 2),
  },
  {
    query: `# 7. Say up to where you have read.
mutation MarkRead($input: MarkReadInput!) {
  markRead(input: $input) {
    conversation { viewerReadPosition viewerUnreadCount }
    viewer { unreadConversationCount }
  }
}
`,
    variables: JSON.stringify({ input: { conversationId: 'cnv_…', position: 2 } }, null, 2),
  },
  {
    query: `# 8. Say that you are typing. The window with
# tab 3 shows it, and 7 seconds later its end.
mutation Typing($input: SetTypingInput!) {
  setTyping(input: $input) {
    conversation { id }
  }
}
`,
    variables: JSON.stringify({ input: { conversationId: 'cnv_…', isTyping: true } }, null, 2),
  },
  {
    query: `# 9. Read your latest conversation.
query History {
  viewer {
    conversations(first: 1) {
      nodes {
        viewerTitle
        viewerUnreadCount
        messages(last: 20) {
          nodes { position body author { displayName } createdAt replyCount reactions { emoji count } }
          pageInfo { hasPreviousPage startCursor }
        }
      }
    }
  }
}
`,
  },
  {
    query: `# 10. Search all your conversations. Quotation
# marks hold a phrase together, -word excludes,
# from:ada, in:"a title", before: and after: a
# day narrow it down.
query Search($query: String!, $after: Cursor) {
  viewer {
    searchMessages(query: $query, first: 20, after: $after) {
      edges {
        highlights { start length }
        node { id body author { handle } conversation { viewerTitle } createdAt }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
`,
    variables: JSON.stringify({ query: 'engine from:me', after: null }, null, 2),
  },
];
