/** Lists of messages that stand elsewhere, such as pinned ones, mentions and what was searched for: each line leads to its place. */

import { avatar, element, time } from './list.js';

/**
 * `ask` reads a page, by a cursor or null: `nodes` and `pageInfo`. `where` says of a message what stands beside its author, `excerpt` what of its body
 * is shown, `onGo` goes to it.
 * Returns a view for the panel that can be `load`ed, also anew when something has changed.
 */
export function createFound({ name, title, empty, panel, attempt, ask, where, excerpt = ({ body }) => [body ?? 'Message deleted'], onGo }) {
  let found = [];
  let after = null;
  let isLoaded = false;
  let asked = 0;

  async function load(cursor = null) {
    asked += 1;
    const turn = asked;
    const { nodes, pageInfo } = await ask(cursor);
    // Something else has been asked for meanwhile, and the list may be of another conversation.
    if (turn !== asked) return;
    found = cursor === null ? nodes : [...found, ...nodes];
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    isLoaded = true;
    panel.render();
  }

  const view = {
    name,
    title,
    get empty() {
      return isLoaded ? empty : '';
    },
    lines: () =>
      found.map((message) =>
        foundItem(
          message,
          where(message),
          () => excerpt(message),
          () => onGo(message),
        ),
      ),
    after: () => (after === null ? null : () => attempt(() => load(after))),
  };

  return {
    open() {
      found = [];
      after = null;
      isLoaded = false;
      panel.open(view);
      attempt(load);
    },
    /** Reads the list anew when it is looked at. */
    refresh() {
      if (panel.shows(name)) attempt(load);
    },
  };
}

function foundItem(message, where, excerpt, onclick) {
  const { id, author, body, highlights, createdAt, threadRoot } = message;
  const place = [where, threadRoot === null ? '' : 'in a thread'].filter(Boolean).join(' · ');
  const build = () => [
    element(
      'button',
      { type: 'button', className: 'found', onclick },
      avatar(author.displayName, author.handle),
      element('strong', { textContent: author.displayName }),
      time(createdAt),
      element('small', { textContent: place }),
      element('span', { className: 'excerpt' }, ...excerpt()),
    ),
  ];
  return { key: id, version: [author.displayName, body, highlights, place], build };
}
