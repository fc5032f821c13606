/** Reactions: the chips below a message, and the choice of an emoji. */

import { element } from './list.js';
import { showMenu } from './menu.js';

/** The API takes any emoji; these are at hand. */
const CHOICES = [
  ['👍', 'thumbs up'],
  ['❤️', 'heart'],
  ['😂', 'tears of joy'],
  ['🎉', 'party'],
  ['😮', 'astonished'],
  ['😢', 'crying'],
  ['🙏', 'thanks'],
  ['👀', 'eyes'],
  ['🔥', 'fire'],
  ['✅', 'done'],
  ['🤔', 'thinking'],
  ['🚀', 'rocket'],
];

export function chooseEmoji(anchor, onChoose) {
  showMenu(
    anchor,
    'React with',
    CHOICES.map(([label, name]) => ({ label, name, act: () => onChoose(label) })),
    'emoji',
  );
}

/** Items for `arrange`. `onToggle` gets the emoji, and whether it is to be taken away. */
export function reactionItems({ reactions, viewerReactions }, onToggle) {
  // Of the last messages of all conversations it is not asked who reacted.
  return reactions.map(({ emoji, count, users = { nodes: [] } }) => {
    const isOwn = viewerReactions.includes(emoji);
    const title = whoReacted(emoji, count, users.nodes);
    const build = () => [
      element(
        'button',
        { type: 'button', className: 'chip', title, ariaLabel: title, ariaPressed: String(isOwn), onclick: () => onToggle(emoji, isOwn) },
        element('span', { className: 'glyph', textContent: emoji }),
        element('span', { textContent: count }),
      ),
    ];
    return { key: `reaction ${emoji}`, version: [count, isOwn, title], build };
  });
}

function whoReacted(emoji, count, users) {
  const names = users.map(({ displayName }) => displayName);
  if (count > names.length) names.push(`${count - names.length} more`);
  return `${emoji} ${new Intl.ListFormat('en').format(names)}`;
}
