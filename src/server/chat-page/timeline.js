/**
 * A stretch of messages without holes: those of a conversation, or those of a thread. Events, pages of history and answers to mutations may
 * overtake each other. Every message remembers as of which sequence it was read, and an older reading never replaces a newer one.
 */

const PAGE_SIZE = 30;
const AROUND_SIZE = 40;

/** `from` and `to` are the positions between which all is known; `before` and `after` the cursors to go on from, null where the list ends. */
export function createTimeline() {
  return { messages: null, last: undefined, from: 0, to: Number.POSITIVE_INFINITY, before: null, after: null, loading: null };
}

export function putMessage(timeline, message, sequence) {
  const entry = { ...message, readAt: sequence };
  const { messages, last, from, to } = timeline;
  const isInside = message.position >= from && message.position <= to;
  if (messages && isInside && !(messages.get(message.id)?.readAt > sequence)) messages.set(message.id, entry);
  const isLast = !last || last.position < message.position || (last.position === message.position && last.readAt <= sequence);
  if (isLast) timeline.last = entry;
}

/** What to ask for, each to be given to `loadPage`. */
export const newest = () => ({ last: PAGE_SIZE });
export const older = ({ before }) => ({ last: PAGE_SIZE, before });
export const newer = ({ after }) => ({ first: PAGE_SIZE, after });
export const around = (id) => ({ around: id, aroundSize: AROUND_SIZE });
export const alone = (id) => ({ around: id, aroundSize: 1 });
export const aroundPosition = (position) => ({ aroundPosition: position, aroundSize: AROUND_SIZE });

/** `ask` reads a page: its messages, and the sequence as of which it is true. One at a time. What is `older` or `newer` is added, all else begins anew. */
export function loadPage(timeline, where, ask) {
  if (timeline.loading !== null) return timeline.loading.catch(() => {}).then(() => loadPage(timeline, where, ask));
  timeline.loading = load(timeline, where, ask).finally(() => {
    timeline.loading = null;
  });
  return timeline.loading;
}

async function load(timeline, where, ask) {
  const isOlder = where.before !== undefined;
  const isNewer = where.after !== undefined;
  const { from, to } = timeline;
  if (!isOlder && !isNewer) timeline.messages = new Map();
  // What events tell while the page is on its way is kept, so there is no hole beside it.
  if (!isNewer) timeline.from = 0;
  if (!isOlder) timeline.to = Number.POSITIVE_INFINITY;
  try {
    const { sequence, messages } = await ask(where);
    const { nodes, pageInfo } = messages;
    for (const message of nodes) putMessage(timeline, message, sequence);
    if (!isNewer) {
      timeline.before = pageInfo.hasPreviousPage ? pageInfo.startCursor : null;
      if (timeline.before !== null) timeline.from = nodes[0].position;
    }
    if (!isOlder) {
      timeline.after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
      if (timeline.after !== null) timeline.to = nodes.at(-1).position;
    }
  } catch (error) {
    if (isOlder || isNewer) Object.assign(timeline, { from, to });
    else timeline.messages = null;
    throw error;
  } finally {
    forgetOutside(timeline);
  }
}

function forgetOutside({ messages, from, to }) {
  for (const { id, position } of messages?.values() ?? []) {
    if (position < from || position > to) messages.delete(id);
  }
}

/** The messages that have arrived, without those that are still shown as on their way. */
export function inOrder({ messages }, waiting) {
  const keys = new Set(waiting.map(({ author, clientMessageId }) => `${author.id}:${clientMessageId}`));
  const arrived = [...(messages?.values() ?? [])].filter(({ author, clientMessageId }) => !keys.has(`${author.id}:${clientMessageId}`));
  return arrived.sort((one, other) => one.position - other.position);
}
