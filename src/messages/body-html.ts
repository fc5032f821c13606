import { Marked } from 'marked';
import sanitizeHtml from 'sanitize-html';

/** Raw HTML in a message is text that somebody wrote: shown as it is, never taken for markup. */
const markdown = new Marked({ gfm: true, breaks: true, async: false, renderer: { html: ({ text }) => escapeHtml(text) } });

/** What a message may look like. Everything else is taken out, whatever the parser let through: no images, styles, ids, handlers or raw HTML. */
const ALLOWED: sanitizeHtml.IOptions = {
  allowedTags: [
    'p',
    'br',
    'strong',
    'em',
    'del',
    'code',
    'pre',
    'blockquote',
    'ul',
    'ol',
    'li',
    'a',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'hr',
    'table',
    'thead',
    'tbody',
    'tr',
    'th',
    'td',
  ],
  allowedAttributes: { a: ['href', 'rel', 'target'], code: ['class'], ol: ['start'], th: ['align'], td: ['align'] },
  allowedClasses: { code: ['language-*'] },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowProtocolRelative: false,
  disallowedTagsMode: 'escape',
  transformTags: { a: sanitizeHtml.simpleTransform('a', { rel: 'nofollow noopener noreferrer', target: '_blank' }) },
  nestingLimit: 50,
};

/** Marks of emphasis, and of exclamation, in one paragraph at most: the parser compares each with all that follow, which would take it seconds. */
const MARKS_MAX = 500;
/** What may stand before an "@" in one word, and white space in one line: the parser looks through it again from each character. */
const WORD_LENGTH_MAX = 256;
const TOO_LONG_WORD = new RegExp(`(?<=[\\w.!#$%&'*+/=?^\`{|}~-]{${WORD_LENGTH_MAX}})@`);
const TOO_MUCH_SPACE = /[ \t]{1000}/;
/** Quotes and lists begun in one line at most: the parser calls itself for each. */
const TOO_NESTED = /^(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])){30}/m;

/** A message's Markdown as HTML that is safe to insert in a page: parsed, then cut down to an allow-list. What is too tangled is shown as written. */
export function renderBody(body: string): string {
  if (isTangled(body)) return `<p>${escapeHtml(body.trim()).replaceAll('\n', '<br />')}</p>`;
  // `async: false` makes the parser answer a string; its type cannot say so.
  return sanitizeHtml(markdown.parse(body) as string, ALLOWED).trim();
}

function isTangled(body: string): boolean {
  if ([TOO_NESTED, TOO_LONG_WORD, TOO_MUCH_SPACE].some((pattern) => pattern.test(body))) return true;
  return body.split(/\n[ \t]*\n/).some((paragraph) => paragraph.replaceAll(/[^*_~!]/g, '').length > MARKS_MAX);
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
