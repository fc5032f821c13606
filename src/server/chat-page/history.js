/** What is known of each conversation, kept true from snapshots and events. */

import { createTimeline, putMessage } from './timeline.js';

/** The check that any client can make: each event names the sequence of the one before it. */
export function createDeliveryCheck() {
  const seen = new Map();
  const check = {
    events: 0,
    gaps: 0,
    /** From a snapshot: everything up to here is known. */
    begin: (conversationId, sequence) => seen.set(conversationId, sequence),
    forget: (conversationId) => seen.delete(conversationId),
    /** False for a repeat. */
    take({ conversationId, previousSequence, sequence }) {
      const last = seen.get(conversationId) ?? previousSequence;
      check.events += 1;
      if (previousSequence > last) check.gaps += 1;
      seen.set(conversationId, Math.max(last, sequence));
      return sequence > last;
    },
  };
  return check;
}

/** A conversation is a timeline of its own; `newFrom` and `isKeptUnread` belong to reading.js, `people` to people.js. */
export function createConversation(snapshot) {
  const conversation = { ...createTimeline(), draft: '', newFrom: null, isKeptUnread: false, people: [] };
  takeSnapshot(conversation, snapshot);
  return conversation;
}

/** False when the snapshot is older than what is known. */
export function takeSnapshot(conversation, { lastMessage, ...snapshot }) {
  if (snapshot.sequence < (conversation.sequence ?? 0)) return false;
  Object.assign(conversation, snapshot);
  if (lastMessage) putMessage(conversation, lastMessage, snapshot.sequence);
  return true;
}

/** False when the event does not tell how many are unread now, so that one has to ask. */
export function takeMessageEvent(conversation, { __typename, message, messageChange, sequence }, viewerId) {
  if (message.threadRoot === null) putMessage(conversation, message, sequence);
  else countReplies(conversation, message.threadRoot, sequence);
  // The snapshot the counts are from had counted it.
  if (sequence <= conversation.sequence) return true;
  conversation.sequence = sequence;
  if (message.author.id === viewerId || message.position <= conversation.viewerReadPosition) return true;
  const isDeletion = __typename === 'MessageChanged' && ['DELETED', 'SEVERAL'].includes(messageChange) && message.deletedAt;
  // Of threads only what mentions somebody counts for them, and a deleted message does not say any more whom it mentioned.
  if (message.threadRoot !== null && isDeletion) return false;
  if (message.threadRoot !== null && !isMentionOf(message, viewerId)) return true;
  if (__typename === 'MessageSent' && !message.deletedAt) conversation.viewerUnreadCount += 1;
  if (isDeletion) conversation.viewerUnreadCount = Math.max(0, conversation.viewerUnreadCount - 1);
  return true;
}

/** No event tells of the count alone: those of the replies bring it. All events up to this one are known, so the root is as new as it is. */
function countReplies({ messages }, { id, replyCount }, sequence) {
  const root = messages?.get(id);
  if (root !== undefined && root.readAt <= sequence) messages.set(id, { ...root, replyCount, readAt: sequence });
}

export function isMentionOf({ mentions, mentionsAll }, userId) {
  return mentionsAll || mentions.some(({ id }) => id === userId);
}
