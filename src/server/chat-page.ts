import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import process from 'node:process';
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
  'search',
  'session',
  'thread',
  'timeline',
  'typing',
  'view',
];

const STYLES = ['chat', 'messages', 'panel'];

/** Those of `rookery/client`: the page is its first user, and gets the sources themselves. */
const CLIENT_FILES = ['client', 'connection', 'event', 'following', 'problem'];

const FILES = [
  { path: '/', name: 'index.html', contentType: HTML },
  ...STYLES.map((name) => ({ path: `/${name}.css`, name: `${name}.css`, contentType: CSS })),
  ...SCRIPTS.map((name) => ({ path: `/${name}.js`, name: `${name}.js`, contentType: SCRIPT })),
];

/** The chat page, by path: a whole client in plain files, as the browser gets them. Read once. */
export function createChatPages(): ReadonlyMap<string, Page> {
  const page = ({ path, name, contentType }: (typeof FILES)[number]): [string, Page] => {
    const body = readFileSync(new URL(`chat-page/${name}`, import.meta.url));
    return [path, { body, contentType, contentSecurityPolicy: POLICY }];
  };
  const clientFile = (name: string): [string, Page] => {
    const body = withoutTypes(readFileSync(new URL(`../client/${name}.ts`, import.meta.url), 'utf8'));
    return [`/client/${name}.ts`, { body, contentType: SCRIPT, contentSecurityPolicy: POLICY }];
  };
  return new Map([...FILES.map(page), ...CLIENT_FILES.map(clientFile)]);
}

/** As the runtime itself does when it loads a file. Node warns that the function is young, which tells an operator nothing. */
function withoutTypes(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}
