/** The page: a snapshot and a cursor from one query, the tail from one subscription, and what the person does. */

import { createRookeryClient } from './client/client.ts';
import { createComposer } from './composer.js';
import { createFound } from './found.js';
import { createConversation, createDeliveryCheck, isMentionOf, takeMessageEvent, takeSnapshot } from './history.js';
import { wireJoining } from './joining.js';
import { arrange, avatar } from './list.js';
import { createMessageActs } from './message-acts.js';
import * as operations from './operations.js';
import { createOutbox } from './outbox.js';
import { createPanel } from './panel.js';
import { createPeople, seenBy } from './people.js';
import { createOwnPresence, createPresences } from './presence.js';
import { createReading } from './reading.js';
import { isAtEnd, keepPlace, reveal, scrollToEnd, stayAtEnd } from './scroll.js';
import { createSearch } from './search.js';
import { createSession, isTransient } from './session.js';
import { createThread } from './thread.js';
import * as timeline from './timeline.js';
import { createTypers, createTypingSignals } from './typing.js';
import { conversationItem } from './view.js';

const RETRY_MS = 1_000;
const NOTICE_MS = 6_000;
/** What a message that is on its way has none of. */
const NOT_YET = { isWaiting: true, mentions: [], mentionsAll: false };
/** Of channels nobody tells who comes and goes, so the list of their members is read anew from time to time. */
const PEOPLE_INTERVAL_MS = 30_000;

const $ = (id) => document.getElementById(id);
const session = createSession({ onEnd: showDoor });
const outbox = createOutbox({ deliver, onChange: render });
const conversations = new Map();
let check = createDeliveryCheck();
let client = null;
let open = null;
let noticeTimer;

const presences = createPresences();
const ownPresence = createOwnPresence({ say: (presence) => session.ask(operations.SET_PRESENCE, { input: { presence } }) });
const typers = createTypers({ onChange: render });
const typing = createTypingSignals({ say: (input) => session.ask(operations.SET_TYPING, { input }) });
const people = createPeople({
  ask: async (id) => (await session.ask(operations.PEOPLE, { id })).conversation,
  presences,
  onChange: render,
});
const reading = createReading({
  ask: async (input) => (await session.ask(operations.MARK_READ, { input })).markRead.conversation,
  seenUpTo,
  refresh,
  onChange: render,
});
const panel = createPanel({ onClose: ({ name }) => (name === 'thread' ? thread.leave() : undefined) });
const messageLine = createMessageActs({
  viewer: () => session.user,
  presences,
  ask: (operation, input) => attempt(() => session.ask(operation, { input })),
  find: (id) => thread.find(id) ?? open.messages.get(id),
  openThread: (id) => attempt(() => thread.open(open.id, id)),
  keepUnread: (position) => attempt(() => reading.keepUnread(open, position)),
  edit: ({ id, body }, isInThread) => (isInThread ? thread.edit(id, body) : composer.fill(body, id)),
  discard: (clientMessageId) => outbox.remove(clientMessageId),
  mayDelete: () => open.kind !== 'DIRECT' && open.viewerRole !== 'MEMBER',
});
const thread = createThread({
  panel,
  attempt,
  askPage,
  waitingIn,
  line: messageLine,
  send,
  edit,
  onInput: typing.typed,
  onSeen: () => reading.read(open),
});
const composer = createComposer($('composer'), {
  onSend(text) {
    send(open.id, undefined, text);
    open.newFrom = null;
    scrollToEnd($('scroller'));
    if (open.after !== null) attempt(() => loadPage(open, timeline.newest()));
  },
  onEdit: edit,
  onInput: (text) => typing.typed(open.id, text),
});
const mentions = createFound({
  name: 'mentions',
  title: 'Mentions',
  empty: 'Nobody has mentioned you yet.',
  panel,
  attempt,
  ask: async (after) => (await session.ask(operations.MENTIONS, { after })).viewer.mentions,
  where: ({ conversation }) => conversation.viewerTitle,
  onGo: (message) => goTo(message.conversation.id, message),
});
const pins = createFound({
  name: 'pins',
  title: 'Pinned',
  empty: 'Nothing is pinned here.',
  panel,
  attempt,
  /** The newest first: pages of messages are in the order in which they were written. */
  async ask(before) {
    const { nodes, pageInfo } = (await askPage(open.id, { last: 20, before, filter: { pinned: true } })).messages;
    return { nodes: nodes.reverse(), pageInfo: { hasNextPage: pageInfo.hasPreviousPage, endCursor: pageInfo.startCursor } };
  },
  where: () => '',
  onGo: (message) => goTo(open.id, message),
});
const search = createSearch({
  form: $('search'),
  panel,
  attempt,
  ask: async (query, after) => (await session.ask(operations.SEARCH, { query, after })).viewer.searchMessages,
  async onGo(message) {
    await goTo(message.conversation.id, message);
    return [...document.querySelectorAll(`[data-key="${CSS.escape(`${message.author.id}:${message.clientMessageId}`)}"]`)];
  },
});
const members = {
  name: 'members',
  title: 'Members',
  empty: '',
  lines: () => people.lines(open, session.user.id),
};

if (session.user === null) showDoor();
else start();

// ── Coming and going

function showDoor() {
  client?.close();
  client = null;
  ownPresence.rest();
  conversations.clear();
  panel.close();
  leave();
  // The next one to sign in here may be somebody else.
  thread.forget();
  search.forget();
  presences.forget();
  $('messages').replaceChildren();
  $('app').hidden = true;
  $('door').hidden = false;
}

/** Everything up to the cursor by one query, everything after it by one subscription: nothing falls between. */
async function start() {
  $('door').hidden = true;
  $('app').hidden = false;
  $('me').replaceChildren(avatar(session.user.displayName, session.user.handle), `@${session.user.handle}`);
  try {
    const { viewer } = await session.ask(operations.SNAPSHOT);
    const openId = open?.id;
    check = createDeliveryCheck();
    conversations.clear();
    for (const node of viewer.conversations.nodes) {
      conversations.set(node.id, createConversation(node));
      learnPresences(node);
      check.begin(node.id, node.sequence);
    }
    client?.close();
    client = createRookeryClient({ url: new URL('graphql', location.href).href, accessToken: session.otherTokenThan });
    client.followInbox({ viewerId: session.user.id, selection: operations.EVENT, after: viewer.cursor, onEvent, onStatus });
    if (conversations.has(openId)) await show(openId);
    else leave();
    await thread.reload();
  } catch (error) {
    if (session.user === null) return;
    onStatus('waiting');
    if (isTransient(error)) setTimeout(start, RETRY_MS);
    else notify(error.message);
  }
}

function onStatus(status, problem = null) {
  $('connection').textContent = { live: 'live', connecting: 'connecting …', waiting: 'offline, trying again …' }[status] ?? status;
  $('status').dataset.state = status;
  if (problem?.code === 'CURSOR_EXPIRED') return start();
  // What coming back mends is no news to anybody.
  if (problem?.isFinal) notify(problem.message);
  if (status !== 'live') return;
  // What could not be done without the server.
  outbox.send(session.user.id);
  ownPresence.sayAgain();
  attempt(catchUp);
  attempt(thread.resume);
  if (open !== null) show(open.id);
}

/** Presence and read positions are not told again to those who were away, or not yet there: they are read. */
async function catchUp() {
  const { viewer } = await session.ask(operations.SNAPSHOT);
  for (const node of viewer.conversations.nodes) {
    const known = conversations.get(node.id);
    if (known !== undefined) takeSnapshot(known, node);
    learnPresences(node);
  }
  if (open !== null) await people.load(open);
  render();
}

function learnPresences({ members }) {
  for (const { user } of members.nodes) presences.learn(user);
}

// ── What happens

function onEvent(event) {
  if (event.sequence === null && event.__typename !== 'CaughtUp') return onSignal(event);
  if (event.conversationId === null || !check.take(event)) return renderCheck();
  const conversation = conversations.get(event.conversationId);
  if (event.__typename === 'MemberChanged' && event.user.id === session.user.id && event.member === null) {
    conversations.delete(event.conversationId);
    check.forget(event.conversationId);
    if (conversation === open) leave();
  } else if (conversation !== undefined && 'message' in event) {
    onMessage(conversation, event);
  } else {
    attempt(() => refresh(event.conversationId));
    if (conversation !== undefined && conversation === open) attempt(() => people.load(conversation));
  }
  render();
}

function onMessage(conversation, event) {
  const { message, messageChange } = event;
  const me = session.user.id;
  const wasRead = reading.isRead(conversation);
  if (!takeMessageEvent(conversation, event, me)) attempt(() => refresh(conversation.id));
  thread.take(event);
  if (message.author.id === me) outbox.remove(message.clientMessageId);
  if (event.__typename === 'MessageSent') typers.end(conversation.id, message.author.id);
  if (messageChange !== undefined && messageChange !== 'REACTIONS') pins.refresh();
  // A deleted message does not say any more whom it mentioned.
  if (isMentionOf(message, me) || message.deletedAt) mentions.refresh();
  render();
  if (conversation === open) reading.read(conversation);
  if (message.author.id !== me && wasRead) reading.beginLine(conversation);
}

/** What holds for a moment. It is not part of the chain, and not told again. */
function onSignal(event) {
  const isOwn = event.user.id === session.user.id;
  if (event.__typename === 'PresenceChanged') return presences.learn({ id: event.user.id, presence: event.presence });
  const conversation = conversations.get(event.conversationId);
  if (conversation === undefined) return;
  if (event.__typename === 'TypingChanged' && !isOwn) typers.take(event);
  if (event.__typename === 'ReadMoved' && isOwn) attempt(() => reading.takeOwnMove(conversation, event.position));
  if (event.__typename === 'ReadMoved' && !isOwn) people.takeReadMoved(conversation, event);
}

/** Reads a conversation anew: one that is not known yet, or whose members or title have changed. */
async function refresh(id) {
  const { conversation: node } = await session.ask(operations.CONVERSATION, { id });
  if (node === null || node.viewerRole === null) return;
  learnPresences(node);
  const known = conversations.get(id);
  if (known === undefined) conversations.set(id, createConversation(node));
  else if (!takeSnapshot(known, node)) await refresh(id); // Events have overtaken the answer; the next will be newer.
  render();
}

// ── One conversation

/** Opens a conversation where one has left it, at what is new, or at a message that is looked for. */
async function show(id, messageId = null) {
  const conversation = conversations.get(id);
  if (open !== conversation) {
    keepDraft();
    closeOfOpen();
    open = conversation;
    reading.begin(open);
    composer.fill(open.draft);
    document.body.dataset.view = 'conversation';
    render();
    showNew();
    attempt(() => people.load(conversation));
  }
  await attempt(async () => {
    if (messageId !== null && !conversation.messages?.has(messageId)) await loadPage(conversation, timeline.around(messageId));
    else if (conversation.messages === null) {
      const { newFrom } = conversation;
      await loadPage(conversation, newFrom === null ? timeline.newest() : timeline.aroundPosition(newFrom + 1));
      if (open === conversation) showNew();
    }
    const found = conversation.messages?.get(messageId);
    if (found !== undefined && open === conversation) reveal(lineOf(found));
    await reading.read(open);
  });
}

/** Scrolls to the first new message, or to the end. */
function showNew() {
  const line = $('messages').querySelector('.new');
  if (line === null) scrollToEnd($('scroller'));
  else line.scrollIntoView({ block: 'start' });
}

function lineOf({ author, clientMessageId }) {
  return $('messages').querySelector(`[data-key="${CSS.escape(`${author.id}:${clientMessageId}`)}"]`);
}

/** From a list of found messages to the place where one stands, be it in a thread. */
async function goTo(conversationId, { id, threadRoot }) {
  if (isNarrow()) panel.close();
  await attempt(async () => {
    if (!conversations.has(conversationId)) await refresh(conversationId);
    await show(conversationId, threadRoot?.id ?? id);
    if (threadRoot !== null) await thread.open(conversationId, threadRoot.id, id);
  });
}

function leave() {
  keepDraft();
  closeOfOpen();
  open = null;
  delete document.body.dataset.view;
  delete document.body.dataset.open;
  render();
}

/** What the panel shows of the open conversation goes with it. */
function closeOfOpen() {
  if (!panel.shows('mentions') && !panel.shows('search')) panel.close();
}

function keepDraft() {
  typing.stop();
  if (open !== null) open.draft = composer.draft;
}

async function loadPage(conversation, where) {
  await timeline.loadPage(conversation, where, (page) => askPage(conversation.id, page));
  render();
}

async function askPage(id, variables) {
  return (await session.ask(operations.PAGE, { id, ...variables })).conversation;
}

/** What one has before one's eyes: the newest messages of the open conversation, and those of its open thread. */
function seenUpTo(conversation) {
  if (document.visibilityState !== 'visible' || conversation !== open) return 0;
  const { last, messages, loading, after, viewerReadPosition } = conversation;
  const newest = last?.position ?? 0;
  const isCovered = panel.isOpen && isNarrow();
  const isSeen = !isCovered && messages !== null && loading === null && after === null && isAtEnd($('scroller'));
  // A position is for all of a conversation: a reply that was seen must not take along messages that were not.
  if (!isSeen && viewerReadPosition < newest) return 0;
  return Math.max(newest, thread.seenUpTo(conversation.id));
}

/** As the styles have it: no room for the panel beside the conversation. */
function isNarrow() {
  return matchMedia('(max-width: 64rem)').matches;
}

/** How the outbox sends one. The event of the same message may be here already, and knows better as of when it is true. */
async function deliver({ conversationId, threadRootId, clientMessageId, body }) {
  const { message } = (await session.ask(operations.SEND, { input: { conversationId, threadRootId, clientMessageId, body } })).sendMessage;
  const conversation = conversations.get(conversationId);
  if (threadRootId !== undefined) thread.put(message);
  else if (conversation !== undefined) timeline.putMessage(conversation, message, 0);
}

function send(conversationId, threadRootId, body) {
  typing.stop();
  outbox.add({ conversationId, threadRootId, authorId: session.user.id, body });
}

function edit(messageId, body) {
  attempt(() => session.ask(operations.EDIT, { input: { messageId, body } }));
}

/** What is on its way, as messages that are not there yet. */
function waitingIn(conversationId, threadRootId) {
  const author = session.user;
  return outbox.of({ conversationId, threadRootId, authorId: author.id }).map((item) => ({ ...item, author, ...NOT_YET }));
}

// ── What it looks like

function render() {
  const all = [...conversations.values()].sort((one, other) => activity(other).localeCompare(activity(one)));
  const unread = all.reduce((sum, { viewerUnreadCount }) => sum + viewerUnreadCount, 0);
  document.title = unread > 0 ? `(${unread > 99 ? '99+' : unread}) Rookery` : 'Rookery';
  arrange(
    $('conversations'),
    all.map((each) =>
      conversationItem(each, { isOpen: each === open, typing: typers.textOf(each.id), dot: dotOf(each), onOpen: () => show(each.id) }),
    ),
  );
  renderCheck();
  $('welcome').hidden = open !== null;
  $('conversation').hidden = open === null;
  if (open !== null) renderConversation(open);
  panel.render();
}

function renderConversation(conversation) {
  const { id, viewerTitle, kind, topic, members, before, after } = conversation;
  const me = session.user;
  if (document.body.dataset.open !== id) $('title-dot').replaceChildren(dotOf(conversation)?.() ?? '');
  document.body.dataset.open = id;
  $('title').textContent = viewerTitle;
  $('about').textContent =
    kind === 'DIRECT' ? 'Between the two of you' : [`${members.totalCount} in here`, topic].filter(Boolean).join(' · ');
  $('add').hidden = kind === 'DIRECT';
  $('older').hidden = before === null;
  const followsEnd = $('newer').hidden;
  $('newer').hidden = after === null;
  $('typing').textContent = typers.textOf(id);
  $('seen').textContent = seenBy(conversation, me.id);
  const waiting = waitingIn(id);
  const lines = [...timeline.inOrder(conversation, waiting), ...waiting];
  const newId = reading.firstNewOf(conversation, lines, me.id);
  const items = lines.map((line, index) => messageLine(line, lines[index - 1], { isNew: newId !== null && line.id === newId }));
  keepPlace($('scroller'), $('messages'), followsEnd, () => arrange($('messages'), items));
}

/** Of a conversation between two, a dot for the other one. */
function dotOf({ kind, members }) {
  const other = kind === 'DIRECT' ? members.nodes.find(({ user }) => user.id !== session.user.id) : undefined;
  return other === undefined ? null : () => presences.dot(other.user.id);
}

function renderCheck() {
  $('check').textContent = `delivery checked: ${check.events} ${check.events === 1 ? 'event' : 'events'}, ${check.gaps} gaps`;
}

function activity({ last, createdAt }) {
  return last?.createdAt ?? createdAt;
}

// ── What the person does

$('door').addEventListener('submit', (event) => {
  event.preventDefault();
  const { handle, password, displayName } = Object.fromEntries(new FormData(event.target));
  attempt(async () => {
    if (event.submitter?.value === 'signUp') await session.begin('signUp', { handle, password, displayName: displayName || handle });
    else await session.begin('signIn', { handle, password });
    event.target.reset();
    await start();
  });
});

wireJoining({ ask: session.ask, attempt, openId: () => open.id, enter });

$('older').addEventListener('click', () => attempt(() => loadPage(open, timeline.older(open))));
$('newer').addEventListener('click', () => attempt(() => loadPage(open, timeline.newer(open))));
stayAtEnd($('scroller'));
$('scroller').addEventListener('scroll', () => reading.read(open));
$('panel-scroller').addEventListener('scroll', () => reading.read(open));
$('members').addEventListener('click', () => {
  panel.open(members);
  attempt(() => people.load(open));
});
$('pins').addEventListener('click', pins.open);
$('mentions').addEventListener('click', mentions.open);
$('back').addEventListener('click', leave);
$('sign-out').addEventListener('click', () => session.end());
document.addEventListener('visibilitychange', () => reading.read(open));
setInterval(() => {
  if (open?.kind === 'CHANNEL' && document.visibilityState === 'visible') people.load(open).catch(() => {}); // The next one may work.
}, PEOPLE_INTERVAL_MS);

async function enter(node) {
  if (!conversations.has(node.id)) conversations.set(node.id, createConversation(node));
  learnPresences(node);
  await show(node.id);
}

/** Runs what somebody asked for, and tells them when it does not work. */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    notify(error.message);
  }
}

function notify(text) {
  $('notice').textContent = text;
  $('notice').hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => {
    $('notice').hidden = true;
  }, NOTICE_MS);
}
