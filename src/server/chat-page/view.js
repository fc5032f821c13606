/** The lines of the lists at the side, for `arrange`: what a conversation and a channel look like. */

import { avatar, element, time } from './list.js';

const PREVIEW_LENGTH_MAX = 120;

/** `dot` is for the one person of a DIRECT conversation, else null; `typing` a sentence, empty when nobody is. */
export function conversationItem(conversation, { isOpen, typing, dot, onOpen }) {
  const { id, viewerTitle, kind, viewerUnreadCount: unread, last, createdAt } = conversation;
  const preview = last === undefined ? 'No messages yet' : last.deletedAt ? 'Message deleted' : last.body.slice(0, PREVIEW_LENGTH_MAX);
  const at = last?.createdAt ?? createdAt;
  const shown = typing || preview;
  const build = () => [
    element(
      'button',
      { type: 'button', onclick: onOpen, ariaCurrent: String(isOpen) },
      element('span', { className: 'face' }, avatar(kind === 'DIRECT' ? viewerTitle : '#', id), dot?.() ?? null),
      element('strong', { textContent: viewerTitle }),
      time(at),
      element('span', { className: typing ? 'preview typing' : 'preview', textContent: shown }),
      unread > 0 ? element('span', { className: 'badge', textContent: unread > 99 ? '99+' : unread, title: 'unread' }) : null,
      unread > 0 ? element('span', { className: 'unseen', textContent: 'unread' }) : null,
    ),
  ];
  return { key: id, version: [viewerTitle, shown, at, unread, isOpen], className: unread > 0 ? 'unread' : '', build };
}

export function channelItem({ id, title, viewerRole, members }, onJoin) {
  const build = () => [
    element('span', { textContent: `# ${title}` }),
    element('small', { textContent: `${members.totalCount} in there` }),
    viewerRole === null ? element('button', { type: 'button', className: 'quiet', textContent: 'Join', onclick: onJoin }) : null,
  ];
  return { key: id, version: [title, viewerRole, members.totalCount], build };
}
