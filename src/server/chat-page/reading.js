/** What counts as read, and since when there is something new. */

/**
 * `ask` marks as read, `seenUpTo` tells the position up to which somebody has seen all of a conversation by now, `refresh` reads a conversation
 * anew, and `onChange` hears when something is to be shown differently.
 */
export function createReading({ ask, seenUpTo, refresh, onChange }) {
  /** An answer says how many are unread, unless events know more by now. */
  function take(conversation, { sequence, ...answer }) {
    conversation.readOnServer = answer.viewerReadPosition;
    if (sequence >= conversation.sequence) Object.assign(conversation, { sequence, ...answer });
    onChange();
  }

  return {
    begin(conversation) {
      conversation.isKeptUnread = false;
      conversation.newFrom = conversation.viewerUnreadCount > 0 ? conversation.viewerReadPosition : null;
    },

    /** Whether nothing new stands among the messages; what stands in threads is not new here. */
    isRead: ({ last, viewerReadPosition }) => (last?.position ?? 0) <= viewerReadPosition,

    /** The line "new" begins at what came while nobody looked. */
    beginLine(conversation) {
      const { last, viewerReadPosition } = conversation;
      if (last !== undefined && last.position > viewerReadPosition) conversation.newFrom = viewerReadPosition;
    },

    /** What one looks at is read: at once for oneself, a moment later for others and on one's other devices. */
    async read(conversation) {
      if (conversation === null || conversation.isKeptUnread) return;
      const position = seenUpTo(conversation);
      const before = conversation.viewerReadPosition;
      if (position <= before) return;
      Object.assign(conversation, { viewerReadPosition: position, viewerUnreadCount: 0 });
      onChange();
      try {
        take(conversation, await ask({ conversationId: conversation.id, position }));
      } catch {
        // Said again with the next message, or when the server is back.
        if (conversation.viewerReadPosition === position) conversation.viewerReadPosition = before;
      }
    },

    /** Puts the messages from this position on back among the unread ones, until the conversation is opened again. */
    async keepUnread(conversation, position) {
      Object.assign(conversation, { isKeptUnread: true, newFrom: position - 1 });
      take(conversation, await ask({ conversationId: conversation.id, position: position - 1, allowMoveBack: true }));
    },

    /** The viewer has read on, or back, here or on another device; how many are unread is for the server to say. */
    async takeOwnMove(conversation, position) {
      if (position === conversation.viewerReadPosition) return;
      const { readOnServer = 0 } = conversation;
      await refresh(conversation.id);
      // Somebody has marked something as unread elsewhere: to mark it as read here at once would undo that.
      if (conversation.viewerReadPosition < readOnServer) conversation.isKeptUnread = true;
      conversation.readOnServer = conversation.viewerReadPosition;
    },

    /** The first message one has not read goes below the line "new". */
    firstNewOf({ newFrom, from }, lines, viewerId) {
      if (newFrom === null || newFrom + 1 < from) return null;
      return lines.find(({ position, author }) => position > newFrom && author.id !== viewerId)?.id ?? null;
    },
  };
}
