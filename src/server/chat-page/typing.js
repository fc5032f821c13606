/** Who is typing, and saying so oneself. */

/** The server ends it 7 seconds after the last signal. An end that got lost is made up for here, a little later. */
const TYPING_MS_MAX = 8_000;
const SAY_INTERVAL_MS = 3_000;

/** `onChange` hears whenever somebody begins or ends. */
export function createTypers({ onChange }) {
  /** By conversation: by person, who and the timer that ends it. */
  const typers = new Map();

  function end(conversationId, userId) {
    const those = typers.get(conversationId);
    if (those === undefined || !those.has(userId)) return;
    clearTimeout(those.get(userId).timer);
    those.delete(userId);
    onChange();
  }

  return {
    end,
    take({ conversationId, user, isTyping }) {
      end(conversationId, user.id);
      if (!isTyping) return;
      if (!typers.has(conversationId)) typers.set(conversationId, new Map());
      const timer = setTimeout(() => end(conversationId, user.id), TYPING_MS_MAX);
      typers.get(conversationId).set(user.id, { user, timer });
      onChange();
    },
    /** As a sentence; empty when nobody is. */
    textOf(conversationId) {
      const names = [...(typers.get(conversationId)?.values() ?? [])].map(({ user }) => user.displayName);
      if (names.length === 0) return '';
      if (names.length > 3) return 'Several people are typing…';
      return `${new Intl.ListFormat('en').format(names)} ${names.length === 1 ? 'is' : 'are'} typing…`;
    },
  };
}

/** Tells the others: again every few seconds while it goes on, and when it ends without a message. */
export function createTypingSignals({ say }) {
  let typingIn = null;
  let saidAt = 0;
  // One after the other: a "true" that comes late must not be the last word.
  let saying = Promise.resolve();

  function tell(conversationId, isTyping) {
    saying = saying.then(() => say({ conversationId, isTyping })).catch(() => {}); // Nothing depends on it, and the next one comes soon.
  }

  function stop() {
    if (typingIn !== null) tell(typingIn, false);
    typingIn = null;
  }

  return {
    stop,
    typed(conversationId, text) {
      if (text.trim() === '' || (typingIn !== null && typingIn !== conversationId)) stop();
      if (text.trim() === '' || (typingIn !== null && performance.now() - saidAt < SAY_INTERVAL_MS)) return;
      typingIn = conversationId;
      saidAt = performance.now();
      tell(conversationId, true);
    },
  };
}
