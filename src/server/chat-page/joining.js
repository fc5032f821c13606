/** Beginning a conversation, finding a channel, and adding people. */

import { arrange } from './list.js';
import * as operations from './operations.js';
import { newKey } from './outbox.js';
import { channelItem } from './view.js';

const $ = (id) => document.getElementById(id);

/** `ask` asks the API, `attempt` tells when something does not work, `openId` is the conversation to add people to, `enter` opens one by its snapshot. */
export function wireJoining({ ask, attempt, openId, enter }) {
  $('create').addEventListener('submit', (event) => {
    event.preventDefault();
    const { kind, name } = Object.fromEntries(new FormData(event.target));
    attempt(async () => {
      const input = kind === 'DIRECT' ? { kind, memberIds: [await userId(name)] } : { kind, title: name, clientConversationId: newKey() };
      await enter((await ask(operations.CREATE, { input })).createConversation.conversation);
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
      const { channels } = await ask(operations.CHANNELS);
      arrange(
        $('channels'),
        channels.nodes.map((channel) => channelItem(channel, () => attempt(() => join(channel.id)))),
      );
    });
  });

  $('add').addEventListener('submit', (event) => {
    event.preventDefault();
    attempt(async () => {
      const input = { conversationId: openId(), userIds: [await userId(event.target.elements.handle.value)] };
      await ask(operations.ADD, { input });
      event.target.reset();
    });
  });

  async function join(conversationId) {
    await enter((await ask(operations.JOIN, { input: { conversationId } })).joinChannel.conversation);
    $('directory').open = false;
  }

  async function userId(handle) {
    const { user } = await ask(operations.USER, { handle: handle.trim().replace(/^@/, '') });
    if (user === null) throw new Error(`Nobody has the handle ${handle}.`);
    return user.id;
  }
}
