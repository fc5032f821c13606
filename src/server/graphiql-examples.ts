type Example = { readonly query: string; readonly variables?: string; readonly headers?: string };

/** Pasted over with the access token that signing up answers. */
const TOKEN = JSON.stringify({ Authorization: 'Bearer <the accessToken of the first tab>' }, null, 2);

/** The tabs one finds in GraphiQL: from nobody to a conversation that is followed live. */
export const EXAMPLES: readonly Example[] = [
  {
    query: `# 1. Become somebody. Copy the accessToken into the headers of the next tabs.
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
    query: `# 2. Open a conversation. Its id goes into the variables of the next tabs.
mutation CreateConversation($input: CreateConversationInput!) {
  createConversation(input: $input) {
    conversation { id kind title cursor }
  }
}
`,
    variables: JSON.stringify({ input: { kind: 'GROUP', title: 'Analytical engines' } }, null, 2),
    headers: TOKEN,
  },
  {
    query: `# 3. Follow it: run this, then send messages from the next tab.
subscription Follow($conversationId: ID!, $after: EventCursor) {
  conversationEvents(conversationId: $conversationId, after: $after) {
    __typename
    previousSequence
    sequence
    cursor
    ... on MessageSent { message { id position body author { handle } } }
  }
}
`,
    variables: JSON.stringify({ conversationId: 'cnv_…', after: null }, null, 2),
    headers: TOKEN,
  },
  {
    query: `# 4. Send. A repeat with the same clientMessageId answers the first message.
mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) {
    message { id position body createdAt }
    cursor
  }
}
`,
    variables: JSON.stringify({ input: { conversationId: 'cnv_…', clientMessageId: 'first', body: 'Hello, **engine**.' } }, null, 2),
    headers: TOKEN,
  },
  {
    query: `# 5. Read what was said.
query History($conversationId: ID!) {
  conversation(id: $conversationId) {
    viewerTitle
    viewerUnreadCount
    messages(last: 20) {
      nodes { position body author { displayName } createdAt }
      pageInfo { hasPreviousPage startCursor }
    }
  }
}
`,
    variables: JSON.stringify({ conversationId: 'cnv_…' }, null, 2),
    headers: TOKEN,
  },
];
