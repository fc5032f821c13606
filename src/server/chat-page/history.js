/**
 * What is known of each conversation, kept true from three sources that may overtake each other: events, pages of history, and
 * answers to mutations. Every message remembers as of which sequence it was read, and an older reading never replaces a newer one.
 */

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

export function createConversation(snapshot) {
  const conversation = { messages: null, before: null, draft: '' };
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

export function putMessage(conversation, message, sequence) {
  const entry = { ...message, readAt: sequence };
  const known = conversation.messages?.get(message.id);
  if (conversation.messages && !(known?.readAt > sequence)) conversation.messages.set(message.id, entry);
  const last = conversation.last;
  const isLast = !last || last.position < message.position || (last.position === message.position && last.readAt <= sequence);
  if (isLast) conversation.last = entry;
}

/** Counts what the event says, unless the snapshot the counts are from had counted it. */
export function takeMessageEvent(conversation, { __typename, message, messageChange, sequence }, viewerId) {
  putMessage(conversation, message, sequence);
  if (sequence <= conversation.sequence) return;
  conversation.sequence = sequence;
  if (message.author.id === viewerId || message.position <= conversation.viewerReadPosition) return;
  if (__typename === 'MessageSent' && !message.deletedAt) conversation.viewerUnreadCount += 1;
  if (__typename === 'MessageChanged' && messageChange !== 'EDITED' && message.deletedAt) {
    conversation.viewerUnreadCount = Math.max(0, conversation.viewerUnreadCount - 1);
  }
}

/** The messages that have arrived, without those that are still shown as on their way. */
export function inOrder({ messages }, waiting) {
  const keys = new Set(waiting.map(({ author, clientMessageId }) => `${author.id}:${clientMessageId}`));
  const arrived = [...(messages?.values() ?? [])].filter(({ author, clientMessageId }) => !keys.has(`${author.id}:${clientMessageId}`));
  return arrived.sort((one, other) => one.position - other.position);
}
