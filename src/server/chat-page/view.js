/** The lines of the lists, for `arrange`: what a conversation, a message and a channel look like. */

import { avatar, element, time } from './list.js';

/** Messages of one person within this time stand together under one name. */
const TOGETHER_MS = 300_000;
const PREVIEW_LENGTH_MAX = 120;

export function conversationItem(conversation, isOpen, onOpen) {
  const { id, viewerTitle, kind, viewerUnreadCount: unread, last, createdAt } = conversation;
  const preview = last === undefined ? 'No messages yet' : last.deletedAt ? 'Message deleted' : last.body.slice(0, PREVIEW_LENGTH_MAX);
  const at = last?.createdAt ?? createdAt;
  const build = () => [
    element(
      'button',
      { type: 'button', onclick: onOpen, ariaCurrent: String(isOpen) },
      avatar(kind === 'DIRECT' ? viewerTitle : '#', id),
      element('strong', { textContent: viewerTitle }),
      time(at),
      element('span', { className: 'preview', textContent: preview }),
      unread > 0 ? element('span', { className: 'badge', textContent: unread > 99 ? '99+' : unread, title: 'unread' }) : null,
    ),
  ];
  return { key: id, version: [viewerTitle, preview, at, unread, isOpen], build };
}

/** `actions` has `edit`, `remove` and `discard`, each null where the person may not. `previous` is the line before, if any. */
export function messageItem(message, previous, isOwn, { edit, remove, discard }) {
  const { author, clientMessageId, body, bodyHtml, createdAt, editedAt, deletedAt, isWaiting = false, failure } = message;
  const follows = previous?.author.id === author.id && new Date(createdAt) - new Date(previous.createdAt) < TOGETHER_MS;
  const build = () => {
    const content = element('div', { className: 'body', textContent: deletedAt ? 'Message deleted' : body });
    // The one place for markup: the server has sanitised it.
    if (!deletedAt && bodyHtml) content.innerHTML = bodyHtml;
    return [
      avatar(author.displayName, author.handle),
      element('p', { className: 'head' }, element('strong', { textContent: author.displayName }), time(createdAt)),
      content,
      element(
        'p',
        { className: 'foot' },
        note(failure !== undefined, `Not sent: ${failure}`, 'failure'),
        note(isWaiting && failure === undefined, 'sending …'),
        note(editedAt && !deletedAt, 'edited'),
        action('Discard', discard),
      ),
      element('p', { className: 'actions' }, action('Edit', edit), action('Delete', remove)),
    ];
  };
  const classes = { message: true, own: isOwn, follows, waiting: isWaiting, deleted: Boolean(deletedAt) };
  const className = Object.keys(classes).filter((name) => classes[name]);
  // What is on its way and what has arrived are the same line.
  const key = `${author.id}:${clientMessageId}`;
  return { key, version: [className, body, bodyHtml, editedAt, failure, remove === null], className: className.join(' '), build };
}

export function channelItem({ id, title, viewerRole, members }, onJoin) {
  const build = () => [
    element('span', { textContent: `# ${title}` }),
    element('small', { textContent: `${members.totalCount} in there` }),
    action('Join', viewerRole === null ? onJoin : null),
  ];
  return { key: id, version: [title, viewerRole, members.totalCount], build };
}

function note(isShown, textContent, className = '') {
  return isShown ? element('span', { textContent, className }) : null;
}

function action(textContent, onclick) {
  return onclick === null ? null : element('button', { type: 'button', className: 'quiet', textContent, onclick });
}
