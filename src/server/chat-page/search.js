/** Searching all of one's messages: the line to write in, what was found, and marks where it was found. */

import { createFound } from './found.js';
import { element } from './list.js';

/** Before the first match, so that it is among the first lines of an excerpt; in characters. */
const LEAD_LENGTH = 40;
const MARKS = 'found';

/** `ask` reads a page of edges by query and cursor; `onGo` goes to a message and resolves to the lines that show it, the conversation's or the thread's. */
export function createSearch({ form, panel, attempt, ask, onGo }) {
  let query = '';
  const found = createFound({
    name: 'search',
    title: 'Found',
    empty: 'Nothing was found.',
    panel,
    attempt,
    async ask(after) {
      const { edges, pageInfo } = await ask(query, after);
      return { nodes: edges.map(({ node, highlights }) => ({ ...node, highlights })), pageInfo };
    },
    where: ({ conversation }) => conversation.viewerTitle,
    // Deleted since it was found: it has no body.
    excerpt: ({ body, highlights }) => excerptOf(body ?? '', highlights),
    async onGo(message) {
      const lines = await onGo(message);
      markIn(lines, wordsOf(message));
    },
  });

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    query = new FormData(form).get('query').trim();
    if (query !== '') found.open();
  });

  return {
    /** What was looked for is nobody else's business. */
    forget() {
      query = '';
      form.reset();
      CSS.highlights?.delete(MARKS);
    },
  };
}

/** The body from a little before the first match, with all of them marked. Offsets count code points, as the server does. */
function excerptOf(body, highlights) {
  const characters = [...body];
  const from = Math.max(0, (highlights[0]?.start ?? 0) - LEAD_LENGTH);
  const parts = [from > 0 ? '…' : ''];
  let end = from;
  for (const { start, length } of highlights) {
    parts.push(characters.slice(end, start).join(''), element('mark', { textContent: characters.slice(start, start + length).join('') }));
    end = start + length;
  }
  return [...parts, characters.slice(end).join('')];
}

/** What was found, as it is written. */
function wordsOf({ body, highlights }) {
  const characters = [...(body ?? '')];
  return new Set(highlights.map(({ start, length }) => characters.slice(start, start + length).join('')));
}

/** The body was written in Markdown and is shown as HTML, so words are looked for in what is shown. Nothing of the page is changed by it. */
function markIn(lines, words) {
  if (!CSS.highlights) return;
  const ranges = lines.flatMap((line) => [...textsOf(line)].flatMap((text) => [...words].flatMap((word) => rangesOf(text, word))));
  CSS.highlights.set(MARKS, new Highlight(...ranges));
}

function* textsOf(line) {
  const body = line.querySelector('.body');
  if (body === null) return;
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) yield walker.currentNode;
}

function rangesOf(text, word) {
  const ranges = [];
  for (let at = text.data.indexOf(word); at >= 0; at = text.data.indexOf(word, at + word.length)) {
    const range = new Range();
    range.setStart(text, at);
    range.setEnd(text, at + word.length);
    ranges.push(range);
  }
  return ranges;
}
