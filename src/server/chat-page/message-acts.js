/** What one can do about a message: react, answer, pin, edit and so on. Makes the lines of which a conversation and a thread consist. */

import { showMenu } from './menu.js';
import { messageItem } from './message-view.js';
import * as operations from './operations.js';
import { chooseEmoji } from './reactions.js';

/**
 * `ask` runs an operation with an input and tells when it fails. `find` returns a message as it is now, `openThread`, `keepUnread`, `edit` and
 * `discard` are done elsewhere; `mayDelete` says whether the viewer may delete what others wrote.
 */
export function createMessageActs({ viewer, presences, ask, find, openThread, keepUnread, edit, discard, mayDelete }) {
  function react(messageId, emoji, isTakenAway) {
    ask(isTakenAway ? operations.REMOVE_REACTION : operations.ADD_REACTION, { messageId, emoji });
  }

  function remove(messageId) {
    if (confirm('Delete this message for everybody?')) ask(operations.DELETE, { messageId });
  }

  function choices(id, anchor, isInThread, isReply) {
    const message = find(id);
    if (message === undefined) return [];
    const { author, position, pinnedAt } = message;
    const isOwn = author.id === viewer().id;
    return [
      { label: 'React', act: () => chooseEmoji(anchor, (emoji) => react(id, emoji, false)) },
      !isInThread && { label: 'Reply in a thread', act: () => openThread(id) },
      // The list of pinned messages is that of the conversation: it has none of a thread.
      !isReply && { label: pinnedAt ? 'Unpin' : 'Pin', act: () => ask(pinnedAt ? operations.UNPIN : operations.PIN, { messageId: id }) },
      !isInThread && { label: 'Mark unread from here', act: () => keepUnread(position) },
      isOwn && { label: 'Edit', act: () => edit(message, isInThread) },
      (isOwn || mayDelete()) && { label: 'Delete', act: () => remove(id) },
    ].filter(Boolean);
  }

  /** An item for `arrange`. `isRoot` and `isReply` say what it is within a thread. */
  return function messageLine(message, previous, { isNew = false, isRoot = false, isReply = false } = {}) {
    const { id, isWaiting = false, failure, deletedAt, clientMessageId } = message;
    const canAct = !isWaiting && !deletedAt;
    const isInThread = isRoot || isReply;
    const acts = {
      react: canAct ? (anchor) => chooseEmoji(anchor, (emoji) => react(id, emoji, false)) : null,
      toggle: (emoji, isTakenAway) => react(id, emoji, isTakenAway),
      // A thread outlives its root: where that is deleted, the way to its replies is still there.
      open: isWaiting || isInThread ? null : () => openThread(id),
      reply: canAct && !isInThread ? () => openThread(id) : null,
      more: canAct ? (anchor) => showMenu(anchor, 'More', choices(id, anchor, isInThread, isReply)) : null,
      discard: failure === undefined ? null : () => discard(clientMessageId),
    };
    return messageItem(message, previous, { viewer: viewer(), isNew, isRoot, dot: presences.dot, acts });
  };
}
