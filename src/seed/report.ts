import { SEED_PASSWORD, type SeedReport } from './seed.ts';

const INBOX =
  '{ viewer { unreadConversationCount conversations(first: 5) { nodes { id viewerTitle viewerUnreadCount lastMessage { body } } } } }';

/** What was made, and what to do with it, for who ran the command. `url` is where their server is or will be. */
export function describeReport({ people, conversations, counts, durationMs, handle, session }: SeedReport, url: string): string {
  const made = [
    `${people} people`,
    `${conversations} conversations with ${counts.members} members, now or once`,
    `${counts.messages} messages, of which ${counts.message_changes} were changed`,
    `${counts.reactions} reactions`,
    `${counts.mentions} mentions`,
  ];
  const lines = [`Seeded in ${(durationMs / 1_000).toFixed(1)} s:`, ...made.map((line) => `  ${line}`), ''];
  if (session === null)
    return [...lines, `They have no password, so nobody can sign in as them. ${handle} is in most of the conversations.`, ''].join('\n');
  return [
    ...lines,
    `Each of them signs in with the password "${SEED_PASSWORD}"; ${handle} is in most of the conversations.`,
    `An access token of ${handle}, until ${session.expiresAt.toISOString()}:`,
    '',
    session.accessToken,
    '',
    'Next: start the server with the same settings (npm start), unless it is running, and ask for their inbox:',
    '',
    `  curl -s ${url}/graphql -H 'Content-Type: application/json' -H 'Authorization: Bearer ${session.accessToken}' -d '${JSON.stringify({ query: INBOX })}'`,
    '',
  ].join('\n');
}
