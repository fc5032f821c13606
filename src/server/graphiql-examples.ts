type Example = { readonly query: string; readonly variables?: string };

/** GraphiQL takes comments in its JSON: nothing is sent until somebody has a token to put in. */
export const HEADERS = `{
  // Signed up? Put your access token in here,
  // and take the slashes away. All tabs send it.
  // "Authorization": "Bearer <accessToken>"
}`;

/** The tabs one finds in GraphiQL: from nobody to a conversation that is followed live. Only one of them needs what another answered. */
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
    query: `# 2. Open a conversation. Copy its id for tab 4.
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
    ... on MessageSent { message { id position body author { handle } } }
  }
}
`,
    variables: JSON.stringify({ after: null }, null, 2),
  },
  {
    query: `# 4. Send, with the conversation's id in Variables.
# A repeat with the same clientMessageId answers
# the first message.
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
    query: `# 5. Read your latest conversation.
query History {
  viewer {
    conversations(first: 1) {
      nodes {
        viewerTitle
        viewerUnreadCount
        messages(last: 20) {
          nodes { position body author { displayName } createdAt }
          pageInfo { hasPreviousPage startCursor }
        }
      }
    }
  }
}
`,
  },
];
