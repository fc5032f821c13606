/** Mentions: "@handle" set off in a message, and the list of one's own. */

import { element } from './list.js';

/** As the server finds them: not inside of a word, an e-mail or another address. */
const HANDLE = /(?<![\p{L}\p{N}_.@/-])@([a-z0-9][a-z0-9_.-]{2,31})(?![\p{L}\p{N}@])/giu;

/** Sets off in `content` those whom the message mentions, and the viewer more than others. Text that only looks like a mention stays text. */
export function markMentions(content, { mentions, mentionsAll }, viewer) {
  const handles = new Set(mentions.map(({ handle }) => handle.toLowerCase()));
  if (mentionsAll) handles.add('all');
  if (handles.size === 0) return;
  for (const text of textsOf(content)) {
    const parts = [];
    let end = 0;
    for (const { 1: said, index } of text.data.matchAll(HANDLE)) {
      // "Ask @ada." ends a sentence, though a handle may end in a full stop, too.
      const handle = [said, said.replace(/[._-]+$/, '')].find((each) => handles.has(each.toLowerCase()));
      if (handle === undefined) continue;
      const isOwn = [viewer.handle, 'all'].includes(handle.toLowerCase());
      parts.push(text.data.slice(end, index), element('span', { className: isOwn ? 'mention own' : 'mention', textContent: `@${handle}` }));
      end = index + 1 + handle.length;
    }
    if (parts.length > 0) text.replaceWith(...parts, text.data.slice(end));
  }
}

/** Code is quoted, not said. */
function textsOf(content) {
  const walker = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest('code')) texts.push(walker.currentNode);
  }
  return texts;
}
