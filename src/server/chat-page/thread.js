/** The thread of a message, in the panel: its own timeline, kept true by the same events, and its own line to write in. */

import { createComposer } from './composer.js';
import { isAtEnd, reveal, scrollToEnd } from './scroll.js';
import { alone, around, createTimeline, inOrder, loadPage, newer, newest, older, putMessage } from './timeline.js';

const $ = (id) => document.getElementById(id);

/**
 * `askPage` reads a page of a conversation, and as of when it is true; `waitingIn` returns what is on its way there; `line` makes an item for
 * `arrange` of a message; `send`, `edit` and `onInput` are what the line one writes in is for; `onSeen` hears when more has come before one's eyes.
 */
export function createThread({ panel, attempt, askPage, waitingIn, line, send, edit, onInput, onSeen }) {
  let thread = null;
  const drafts = new Map();
  const composer = createComposer($('reply'), {
    onSend(text) {
      const { id, conversationId, after } = thread;
      send(conversationId, id, text);
      scrollToEnd($('panel-scroller'));
      if (after !== null) attempt(() => load(newest()));
    },
    onEdit: edit,
    onInput: (text) => onInput(thread.conversationId, text),
  });

  const view = {
    name: 'thread',
    title: 'Thread',
    empty: '',
    lines() {
      const { id, root, conversationId } = thread;
      if (root === null) return [];
      const waiting = waitingIn(conversationId, id);
      const replies = [...inOrder(thread, waiting), ...waiting];
      return [
        line(root, undefined, { isRoot: true }),
        ...replies.map((reply, index) => line(reply, replies[index - 1], { isReply: true })),
      ];
    },
    before: () => (thread.before === null ? null : () => attempt(() => load(older(thread)))),
    after: () => (thread.after === null ? null : () => attempt(() => load(newer(thread)))),
  };

  async function load(where) {
    const loading = thread;
    await loadPage(loading, where, (page) => askPage(loading.conversationId, { ...page, filter: { threadRootId: loading.id } }));
    if (thread !== loading) return;
    panel.render();
    onSeen();
  }

  async function loadAll(where) {
    const loading = thread;
    const { sequence, messages } = await askPage(loading.conversationId, alone(loading.id));
    takeRoot(loading, messages.nodes[0], sequence);
    if (thread === loading) await load(where);
  }

  function takeRoot(of, root, sequence) {
    if (!(of.root?.readAt > sequence)) of.root = { ...root, readAt: sequence };
  }

  return {
    /** Begins at the newest reply, or around one that is looked for. */
    async open(conversationId, rootId, replyId = null) {
      if (thread?.id !== rootId) {
        panel.close();
        thread = { ...createTimeline(), id: rootId, conversationId, root: null };
        panel.open(view);
        composer.fill(drafts.get(rootId));
        await loadAll(replyId === null ? newest() : around(replyId));
        scrollToEnd($('panel-scroller'));
      } else if (replyId !== null && !thread.messages?.has(replyId)) {
        await load(around(replyId));
      }
      const reply = thread?.messages?.get(replyId);
      if (reply !== undefined)
        reveal($('panel-lines').querySelector(`[data-key="${CSS.escape(`${reply.author.id}:${reply.clientMessageId}`)}"]`));
    },
    /** The panel shows something else, or nothing. */
    leave() {
      if (composer.draft === '') drafts.delete(thread.id);
      else drafts.set(thread.id, composer.draft);
      thread = null;
    },
    /** After a time of which nothing is known. */
    async reload() {
      if (thread !== null) await loadAll(newest());
    },
    /** What could not be read when it was opened. */
    async resume() {
      if (thread !== null && (thread.root === null || thread.messages === null)) await loadAll(newest());
    },
    forget: () => drafts.clear(),
    take({ message, sequence }) {
      if (message.id === thread?.id) takeRoot(thread, message, sequence);
      else if (thread !== null && message.threadRoot?.id === thread.id) {
        putMessage(thread, message, sequence);
        if (thread.root !== null) takeRoot(thread, { ...thread.root, replyCount: message.threadRoot.replyCount }, sequence);
      }
    },
    /** What came by an answer, of which it is not known as of when it is true. */
    put(message) {
      if (thread !== null && message.threadRoot?.id === thread.id) putMessage(thread, message, 0);
    },
    find: (messageId) => (messageId === thread?.id ? thread.root : thread?.messages?.get(messageId)),
    edit: (messageId, text) => composer.fill(text, messageId),
    /** The position up to which the thread has been seen; 0 when it is not open. */
    seenUpTo(conversationId) {
      if (thread?.conversationId !== conversationId || thread.after !== null || !isAtEnd($('panel-scroller'))) return 0;
      return thread.last?.position ?? 0;
    },
  };
}
