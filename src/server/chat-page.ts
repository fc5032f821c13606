import { readFileSync } from 'node:fs';
import type { Page } from './http.ts';

/** Our own files and nothing else: no inline script or style, no frame around it, no form that leaves. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';

const SCRIPTS = [
  'chat',
  'composer',
  'found',
  'history',
  'joining',
  'list',
  'live',
  'mentions',
  'menu',
  'message-acts',
  'message-view',
  'operations',
  'outbox',
  'panel',
  'people',
  'presence',
  'reactions',
  'reading',
  'scroll',
  'session',
  'thread',
  'timeline',
  'typing',
  'view',
];

const STYLES = ['chat', 'messages', 'panel'];

const FILES = [
  { path: '/', name: 'index.html', contentType: HTML },
  ...STYLES.map((name) => ({ path: `/${name}.css`, name: `${name}.css`, contentType: CSS })),
  ...SCRIPTS.map((name) => ({ path: `/${name}.js`, name: `${name}.js`, contentType: SCRIPT })),
];

/** The chat page, by path: a whole client in plain files, as the browser gets them. Read once. */
export function createChatPages(): ReadonlyMap<string, Page> {
  return new Map(
    FILES.map(({ path, name, contentType }) => {
      const body = readFileSync(new URL(`chat-page/${name}`, import.meta.url));
      return [path, { body, contentType, contentSecurityPolicy: POLICY }];
    }),
  );
}
