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

/** A message's Markdown as HTML that is safe to insert in a page: parsed, then cut down to an allow-list. */
export function renderBody(body: string): string {
  // `async: false` makes the parser answer a string; its type cannot say so.
  return sanitizeHtml(markdown.parse(body) as string, ALLOWED).trim();
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
