/** Who is in a conversation, and up to where they have read. */

import { avatar, element } from './list.js';

/** In larger groups it would be noise. */
const SEEN_BY_PEOPLE_MAX = 10;

/** `ask` reads the members of a conversation. The first hundred are shown; a list of thousands is for another page. */
export function createPeople({ ask, presences, onChange }) {
  async function load(conversation) {
    const { members } = await ask(conversation.id);
    const moved = conversation.readMoves ?? new Map();
    conversation.members = { ...conversation.members, totalCount: members.totalCount };
    conversation.people = members.nodes.map((member) => ({ ...member, readPosition: moved.get(member.user.id) ?? member.readPosition }));
    for (const { user } of members.nodes) presences.learn(user);
    onChange();
  }

  return {
    load,
    /** Others have read on, or back. It is also remembered for a list that is on its way. */
    takeReadMoved(conversation, { user, position }) {
      conversation.readMoves ??= new Map();
      conversation.readMoves.set(user.id, position);
      for (const member of conversation.people) if (member.user.id === user.id) member.readPosition = position;
      onChange();
    },
    lines({ people }, viewerId) {
      return people.map(({ user, role }) => personItem(user, role, user.id === viewerId, presences));
    },
  };
}

/** Who has read the newest message, if it is the viewer's own: as a sentence, empty where it would not be one. */
export function seenBy({ kind, people, members, last }, viewerId) {
  if (kind === 'CHANNEL' || members.totalCount > SEEN_BY_PEOPLE_MAX || last?.author.id !== viewerId || last.deletedAt) return '';
  const readers = people.filter(({ user, readPosition }) => user.id !== viewerId && readPosition >= last.position);
  if (readers.length === 0) return '';
  if (kind === 'DIRECT') return 'Seen';
  if (readers.length === members.totalCount - 1) return 'Seen by everybody';
  return `Seen by ${new Intl.ListFormat('en').format(readers.map(({ user }) => user.displayName))}`;
}

function personItem({ id, displayName, handle }, role, isViewer, presences) {
  const build = () => [
    avatar(displayName, handle),
    element(
      'span',
      { className: 'person' },
      element('strong', { textContent: isViewer ? `${displayName} (you)` : displayName }),
      presences.dot(id),
      element('small', { textContent: `@${handle}` }),
    ),
    element('small', { textContent: role === 'MEMBER' ? '' : role.toLowerCase() }),
  ];
  return { key: id, version: [displayName, role], className: 'line', build };
}
