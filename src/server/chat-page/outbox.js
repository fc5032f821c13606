import { isTransient } from './session.js';

/**
 * Messages on their way. Each keeps its key until it has arrived, through retries, reconnects and reloads of the page, so however
 * often it is sent, it is written once.
 */

const KEY = 'rookery.outbox';
const RETRY_MS = 1_000;

/** `deliver` sends one and resolves when it is written; `onChange` hears whenever something is to be shown differently. */
export function createOutbox({ deliver, onChange }) {
  let items = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
  let isSending = false;
  let timer;

  function keep(next) {
    items = next;
    sessionStorage.setItem(KEY, JSON.stringify(items));
    onChange();
  }

  /** One after the other, so that they arrive in the order in which they were written. */
  async function send(authorId) {
    if (isSending) return;
    isSending = true;
    clearTimeout(timer);
    const next = () => items.find((item) => item.failure === undefined && item.authorId === authorId);
    try {
      for (let item = next(); item !== undefined; item = next()) await sendOne(item);
    } catch {
      timer = setTimeout(() => send(authorId), RETRY_MS);
    } finally {
      isSending = false;
    }
  }

  async function sendOne(item) {
    try {
      await deliver(item);
      remove(item.clientMessageId);
    } catch (error) {
      if (isTransient(error)) throw error;
      keep(items.map((each) => (each === item ? { ...item, failure: error.message } : each)));
    }
  }

  function remove(clientMessageId) {
    if (items.some((item) => item.clientMessageId === clientMessageId))
      keep(items.filter((item) => item.clientMessageId !== clientMessageId));
  }

  return {
    send,
    remove,
    /** `threadRootId` is undefined for a message that is in no thread. */
    add({ conversationId, threadRootId, authorId, body }) {
      const clientMessageId = newKey();
      keep([...items, { conversationId, threadRootId, clientMessageId, authorId, body, createdAt: new Date().toISOString() }]);
      send(authorId);
    },
    of: ({ conversationId, threadRootId, authorId }) =>
      items.filter((item) => item.conversationId === conversationId && item.threadRootId === threadRootId && item.authorId === authorId),
  };
}

/** Not crypto.randomUUID, which pages have over HTTPS and on localhost only. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((word) => word.toString(36)).join('-');
}
