/** The page: a snapshot and a cursor from one query, the tail from one subscription, and what the person does. */

import { createRookeryClient } from './client/client.ts';
import { createConversation, createDeliveryCheck, inOrder, putMessage, takeMessageEvent, takeSnapshot } from './history.js';
import { arrange, avatar } from './list.js';
import * as operations from './operations.js';
import { createOutbox, newKey } from './outbox.js';
import { createSession, isTransient } from './session.js';
import { channelItem, conversationItem, messageItem } from './view.js';

const RETRY_MS = 1_000;
const NOTICE_MS = 6_000;
/** Nearer to the end than this, in pixels, counts as reading the newest messages. */
const END_PX = 80;

const $ = (id) => document.getElementById(id);
const session = createSession({ onToken: () => client?.renew(), onEnd: showDoor });
const outbox = createOutbox({ deliver, onChange: render });
const conversations = new Map();
let check = createDeliveryCheck();
let client = null;
let open = null;
let editing = null;
let noticeTimer;

if (session.user === null) showDoor();
else start();

// ── Coming and going

function showDoor() {
  client?.close();
  client = null;
  conversations.clear();
  leave();
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
      check.begin(node.id, node.sequence);
    }
    client?.close();
    client = createRookeryClient({ url: new URL('graphql', location.href).href, accessToken: session.otherTokenThan });
    client.followInbox({ selection: operations.EVENT, after: viewer.cursor, onEvent, onStatus, onProblem, onExpired: start });
    if (conversations.has(openId)) await show(openId);
    else leave();
  } catch (error) {
    if (session.user === null) return;
    onStatus('waiting');
    if (isTransient(error)) setTimeout(start, RETRY_MS);
    else notify(error.message);
  }
}

function onStatus(status) {
  $('connection').textContent = { live: 'live', connecting: 'connecting …', waiting: 'offline, trying again …' }[status] ?? status;
  $('status').dataset.state = status;
  if (status !== 'live') return;
  // What could not be done without the server.
  outbox.send(session.user.id);
  if (open !== null) show(open.id);
}

/** What coming back mends is no news to anybody. */
function onProblem({ isFinal, code, message }) {
  if (isFinal && code !== 'CURSOR_EXPIRED') notify(message);
}

// ── What happens

function onEvent(event) {
  if (event.__typename !== 'CaughtUp' && event.sequence === null) return; // Typing, presence and the like: this page shows none of it.
  if (event.conversationId === null || !check.take(event)) return renderCheck();
  const conversation = conversations.get(event.conversationId);
  if (event.__typename === 'MemberChanged' && event.user.id === session.user.id && event.member === null) {
    conversations.delete(event.conversationId);
    check.forget(event.conversationId);
    if (conversation === open) leave();
  } else if (conversation !== undefined && 'message' in event) {
    takeMessageEvent(conversation, event, session.user.id);
    if (event.message.author.id === session.user.id) outbox.remove(event.message.clientMessageId);
    if (conversation === open) markRead();
  } else {
    attempt(() => refresh(event.conversationId));
  }
  render();
}

/** Reads a conversation anew: one that is not known yet, or whose members or title have changed. */
async function refresh(id) {
  const { conversation: node } = await session.ask(operations.CONVERSATION, { id });
  if (node === null || node.viewerRole === null) return;
  const known = conversations.get(id);
  if (known === undefined) conversations.set(id, createConversation(node));
  else if (!takeSnapshot(known, node)) await refresh(id); // Events have overtaken the answer; the next will be newer.
  render();
}

// ── One conversation

async function show(id) {
  if (open?.id !== id) {
    keepDraft();
    open = conversations.get(id);
    compose(open.draft);
    document.body.dataset.view = 'conversation';
    render();
    scrollToEnd();
  }
  await attempt(async () => {
    if (open.messages === null) {
      await loadPage(open);
      scrollToEnd();
    }
    await markRead();
  });
}

function leave() {
  keepDraft();
  open = null;
  delete document.body.dataset.view;
  render();
}

function keepDraft() {
  if (open !== null && editing === null) open.draft = $('composer').elements.body.value;
}

/** Events that come while the first page is on its way are kept, so there is no hole behind it. */
async function loadPage(conversation) {
  const { id, before, messages } = conversation;
  conversation.messages ??= new Map();
  const { conversation: page } = await session.ask(operations.PAGE, { id, before }).catch((error) => {
    conversation.messages = messages;
    throw error;
  });
  for (const message of page.messages.nodes) putMessage(conversation, message, page.sequence);
  conversation.before = page.messages.pageInfo.hasPreviousPage ? page.messages.pageInfo.startCursor : null;
  render();
}

/** What one looks at is read. */
async function markRead() {
  const conversation = open;
  const position = conversation?.last?.position ?? 0;
  if (document.visibilityState !== 'visible' || conversation === null || position <= conversation.viewerReadPosition) return;
  const { viewerReadPosition } = conversation;
  conversation.viewerReadPosition = position;
  conversation.viewerUnreadCount = 0;
  render();
  await session.ask(operations.MARK_READ, { input: { conversationId: conversation.id, position } }).catch(() => {
    conversation.viewerReadPosition = viewerReadPosition; // Said again with the next message, or when the server is back.
  });
}

/** How the outbox sends one. The event of the same message may be here already, and knows better as of when it is true. */
async function deliver({ conversationId, clientMessageId, body }) {
  const { sendMessage } = await session.ask(operations.SEND, { input: { conversationId, clientMessageId, body } });
  const conversation = conversations.get(conversationId);
  if (conversation !== undefined) putMessage(conversation, sendMessage.message, 0);
}

/** Fills the line one writes in: with a draft, or with a message that is to be edited. */
function compose(text = '', messageId = null) {
  editing = messageId;
  $('editing').hidden = messageId === null;
  const { body } = $('composer').elements;
  body.value = text;
  if (matchMedia('(pointer: fine)').matches) body.focus();
}

// ── What it looks like

function render() {
  const all = [...conversations.values()].sort((one, other) => activity(other).localeCompare(activity(one)));
  const unread = all.filter(({ viewerUnreadCount }) => viewerUnreadCount > 0).length;
  document.title = unread > 0 ? `(${unread}) Rookery` : 'Rookery';
  arrange(
    $('conversations'),
    all.map((each) => conversationItem(each, each === open, () => show(each.id))),
  );
  renderCheck();
  $('welcome').hidden = open !== null;
  $('conversation').hidden = open === null;
  if (open !== null) renderConversation(open);
}

function renderConversation({ id, viewerTitle, kind, topic, members, before, viewerRole, ...conversation }) {
  const me = session.user;
  $('title').textContent = viewerTitle;
  $('about').textContent =
    kind === 'DIRECT' ? 'Between the two of you' : [`${members.totalCount} in here`, topic].filter(Boolean).join(' · ');
  $('add').hidden = kind === 'DIRECT';
  $('older').hidden = before === null;
  const waiting = outbox.of(id, me.id).map((item) => ({ ...item, author: me, isWaiting: true }));
  const lines = [...inOrder(conversation, waiting), ...waiting];
  const items = lines.map((line, index) => {
    const isOwn = line.author.id === me.id;
    const mayChange = !line.isWaiting && !line.deletedAt;
    const mayDelete = mayChange && (isOwn || (kind !== 'DIRECT' && viewerRole !== 'MEMBER'));
    return messageItem(line, lines[index - 1], isOwn, {
      edit: mayChange && isOwn ? () => compose(line.body, line.id) : null,
      remove: mayDelete ? () => remove(line.id) : null,
      discard: line.failure === undefined ? null : () => outbox.remove(line.clientMessageId),
    });
  });
  const scroller = $('scroller');
  const isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < END_PX;
  arrange($('messages'), items);
  if (isAtEnd) scrollToEnd();
}

function scrollToEnd() {
  $('scroller').scrollTop = $('scroller').scrollHeight;
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

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const body = event.target.elements.body.value;
  if (body.trim() === '') return;
  if (editing === null) outbox.add(open.id, session.user.id, body);
  else attempt(() => session.ask(operations.EDIT, { input: { messageId: editing, body } }));
  compose();
  scrollToEnd();
});

$('composer').addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && editing !== null) compose();
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $('composer').requestSubmit();
});

$('create').addEventListener('submit', (event) => {
  event.preventDefault();
  const { kind, name } = Object.fromEntries(new FormData(event.target));
  attempt(async () => {
    const input = kind === 'DIRECT' ? { kind, memberIds: [await userId(name)] } : { kind, title: name, clientConversationId: newKey() };
    await enter((await session.ask(operations.CREATE, { input })).createConversation.conversation);
    event.target.elements.name.value = '';
    $('creation').open = false;
  });
});

$('create').elements.kind.addEventListener('change', ({ target }) => {
  $('create').elements.name.placeholder = target.value === 'DIRECT' ? 'Handle' : 'Title';
});

$('directory').addEventListener('toggle', () => {
  if (!$('directory').open) return;
  attempt(async () => {
    const { channels } = await session.ask(operations.CHANNELS);
    arrange(
      $('channels'),
      channels.nodes.map((channel) => channelItem(channel, () => attempt(() => join(channel.id)))),
    );
  });
});

$('add').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(async () => {
    const input = { conversationId: open.id, userIds: [await userId(event.target.elements.handle.value)] };
    await session.ask(operations.ADD, { input });
    event.target.reset();
  });
});

$('older').addEventListener('click', () =>
  attempt(async () => {
    const scroller = $('scroller');
    const fromEnd = scroller.scrollHeight - scroller.scrollTop;
    await loadPage(open);
    scroller.scrollTop = scroller.scrollHeight - fromEnd;
  }),
);

$('back').addEventListener('click', leave);
$('stop-editing').addEventListener('click', () => compose());
$('sign-out').addEventListener('click', () => session.end());
document.addEventListener('visibilitychange', markRead);

async function join(conversationId) {
  await enter((await session.ask(operations.JOIN, { input: { conversationId } })).joinChannel.conversation);
  $('directory').open = false;
}

async function enter(node) {
  if (!conversations.has(node.id)) conversations.set(node.id, createConversation(node));
  await show(node.id);
}

async function userId(handle) {
  const { user } = await session.ask(operations.USER, { handle: handle.trim().replace(/^@/, '') });
  if (user === null) throw new Error(`Nobody has the handle ${handle}.`);
  return user.id;
}

function remove(messageId) {
  if (confirm('Delete this message for everybody?')) attempt(() => session.ask(operations.DELETE, { input: { messageId } }));
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
