/** What a message looks like, for `arrange`. */

import { arrange, avatar, element, time } from './list.js';
import { markMentions } from './mentions.js';
import { reactionItems } from './reactions.js';

/** Messages of one person within this time stand together under one name. */
const TOGETHER_MS = 300_000;

/**
 * `previous` is the line before, if any. `acts` are `react`, `toggle`, `reply`, `open` (its thread), `more` and `discard`, each null where it makes no
 * sense; those that bring something up are given the button.
 */
export function messageItem(message, previous, { viewer, isNew = false, isRoot = false, dot, acts }) {
  const {
    author,
    clientMessageId,
    body,
    bodyHtml,
    createdAt,
    editedAt,
    deletedAt,
    mentions,
    mentionsAll,
    isWaiting = false,
    failure,
  } = message;
  const isNear = previous?.author.id === author.id && new Date(createdAt) - new Date(previous.createdAt) < TOGETHER_MS;
  const build = () => [
    element('p', { className: 'divider', textContent: 'New since you were here' }),
    avatar(author.displayName, author.handle),
    element('p', { className: 'head' }, element('strong', { textContent: author.displayName }), dot(author.id), time(createdAt)),
    content(message, viewer),
    element(
      'p',
      { className: 'foot' },
      note(failure !== undefined, `Not sent: ${failure}`, 'failure'),
      note(isWaiting && failure === undefined, 'sending …'),
      note(editedAt && !deletedAt, 'edited'),
      button('Discard', acts.discard),
    ),
    element('ul', { className: 'marks', ariaLive: 'off' }),
    element('p', { className: 'actions' }, button('React', acts.react), button('Reply', acts.reply), button('⋯', acts.more, 'More')),
  ];
  const isOwn = author.id === viewer.id;
  const classes = {
    message: true,
    own: isOwn,
    follows: isNear && !isNew,
    new: isNew,
    root: isRoot,
    waiting: isWaiting,
    deleted: deletedAt,
  };
  const className = Object.keys(classes)
    .filter((name) => classes[name])
    .join(' ');
  return {
    // What is on its way and what has arrived are the same line.
    key: `${author.id}:${clientMessageId}`,
    version: [isWaiting, Boolean(deletedAt), author.displayName, body, bodyHtml, editedAt, failure, mentions, mentionsAll],
    className,
    build,
    // These come and go more often than the message changes, and are arranged by themselves: it is not read out again for a reaction.
    update: (line) => arrange(line.querySelector('.marks'), isWaiting ? [] : markItems(message, acts)),
  };
}

function content({ body, bodyHtml, deletedAt, ...message }, viewer) {
  const made = element('div', { className: 'body', textContent: deletedAt ? 'Message deleted' : body });
  if (deletedAt || !bodyHtml) return made;
  // The one place for markup: the server has sanitised it.
  made.innerHTML = bodyHtml;
  markMentions(made, message, viewer);
  return made;
}

function markItems(message, { toggle, open }) {
  const { pinnedAt, replyCount } = message;
  const items = reactionItems(message, toggle);
  if (pinnedAt !== null) {
    items.unshift({ key: 'pin', version: [], build: () => [element('span', { className: 'pinned', textContent: 'Pinned' })] });
  }
  if (replyCount > 0 && open !== null) {
    const textContent = replyCount === 1 ? '1 reply' : `${replyCount} replies`;
    const build = () => [element('button', { type: 'button', className: 'replies', textContent, onclick: open })];
    items.push({ key: 'replies', version: [replyCount], build });
  }
  return items;
}

function note(isShown, textContent, className = '') {
  return isShown ? element('span', { textContent, className }) : null;
}

function button(textContent, onclick, ariaLabel = textContent) {
  if (onclick === null) return null;
  const act = ({ currentTarget }) => onclick(currentTarget);
  return element('button', { type: 'button', className: 'quiet', textContent, ariaLabel, title: ariaLabel, onclick: act });
}
