import { ROLE_MIN } from '../../../src/conversations/permission.ts';
import { FIELD_RULES, OBJECT_ACCESS, OBJECT_RULES, ROOT_RULES } from '../../../src/graphql/access.ts';
import { coordinates, ruleOf } from './operation.ts';

/** docs/guide/access.md, as the rules have it. */
export function describeAccess(): string {
  return [
    '# Who may see and do what',
    '',
    'Whoever asks without an access token is nobody, and gets UNAUTHENTICATED wherever somebody is needed. What you may not see does not exist',
    'for you: where an answer may be null it is null, else the error is NOT_FOUND, and either is the same to the letter as for an id that leads',
    'nowhere; other arguments of the same call, right or wrong, do not change that. What you may see and may not do is FORBIDDEN.',
    '',
    'A member sees all of a conversation, from its first message on. Who has left or was removed is an outsider again, from that very change',
    'on: their streams tell them of it and then nothing more, and what they had open ends. Of a CHANNEL outsiders see title, topic and number of',
    'members, of other kinds nothing at all.',
    '',
    'An administrator of the server is of a conversation what others are: who is no member is an outsider. The service is nobody as long as it acts for',
    'nobody: its `viewer` is null, and what is not for the service by these tables is FORBIDDEN; acting for a user it is that user.',
    '[identity.md](identity.md) tells of both.',
    '',
    '## Objects',
    '',
    'An object is the same by whatever way you come to it: by its id, in a list, in another object, in a payload, in an event.',
    '',
    '| Object | Is given to |',
    '|---|---|',
    ...Object.entries(OBJECT_ACCESS).map(([type, rule]) => `| \`${type}\` | ${OBJECT_RULES[rule]} |`),
    '',
    'Everything else (pages, edges, payloads, events) belongs to the field that answers it.',
    '',
    '## Fields',
    '',
    FIELD_RULES.PARENT.replace(/^Whoever/, 'A field is for whoever'),
    '',
    'Only a `Conversation`, of which outsiders may see something when it is a CHANNEL, is particular about it:',
    '',
    ...tableOf({ ...FIELD_RULES, PARENT: 'Whoever was given the conversation.' }, (coordinate) => coordinate.startsWith('Conversation.')),
    '',
    'And what a `User` says of being there:',
    '',
    ...tableOf({ COMPANION: FIELD_RULES.COMPANION }, (coordinate) => ruleOf(coordinate) === 'COMPANION'),
    '',
    '## Queries',
    '',
    ...tableOf(ROOT_RULES, (coordinate) => coordinate.startsWith('Query.')),
    '',
    '## Mutations',
    '',
    ...tableOf(ROOT_RULES, (coordinate) => coordinate.startsWith('Mutation.')),
    '',
    'What the role of a member allows, in a GROUP or CHANNEL; each role may do what those below it may. To remove somebody takes a higher role',
    'than theirs, too. In a DIRECT conversation both members are equal: they pin and unpin, and there is nothing else of this to do.',
    '',
    '| Action | Takes at least |',
    '|---|---|',
    ...Object.entries(ROLE_MIN).map(([action, role]) => `| \`${action}\` | ${role} |`),
    '',
    '`leaveConversation` answers the conversation as you saw it last; of its messages and members there is nothing to be read from there.',
    '',
    '## Subscriptions',
    '',
    ...tableOf(ROOT_RULES, (coordinate) => coordinate.startsWith('Subscription.')),
    '',
    '`viewerEvents` tells of the conversations you are in, from the change by which you became a member up to the one by which you are no longer.',
    '',
  ].join('\n');
}

/** By rule, in the order of the vocabulary: whom it lets in, and what it is the rule of. */
function tableOf(rules: Readonly<Record<string, string>>, isOfTable: (coordinate: string) => boolean): readonly string[] {
  const byRule = Map.groupBy(coordinates().filter(isOfTable), (coordinate) => ruleOf(coordinate));
  const rows = Object.entries(rules).flatMap(([rule, who]) => {
    const names = (byRule.get(rule) ?? []).map((coordinate) => `\`${coordinate.split('.')[1]}\``);
    return names.length === 0 ? [] : [`| ${who} | ${names.join(', ')} |`];
  });
  return ['| Who | |', '|---|---|', ...rows];
}
