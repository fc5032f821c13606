import { readdirSync, readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
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
const CLIENT_FILES = ['client', 'following', 'problem'];

/** What the client is built upon, by the name it has there, which a browser does not know, and where the browser gets it. */
const LIBRARY = { name: 'graphql-ws/client', folder: '/client/graphql-ws', files: /^(client|common-.*)\.js$/ };

const FILES = [
  { path: '/', name: 'index.html', contentType: HTML },
  ...STYLES.map((name) => ({ path: `/${name}.css`, name: `${name}.css`, contentType: CSS })),
  ...SCRIPTS.map((name) => ({ path: `/${name}.js`, name: `${name}.js`, contentType: SCRIPT })),
];

/** The chat page, by path: a whole client in plain files, as the browser gets them. Read once. */
export function createChatPages(): ReadonlyMap<string, Page> {
  const page = (path: string, contentType: string, body: string | Buffer): [string, Page] => [
    path,
    { body, contentType, contentSecurityPolicy: POLICY },
  ];
  const libraryFolder = dirname(createRequire(import.meta.url).resolve(LIBRARY.name));
  const served = readdirSync(libraryFolder).filter((name) => LIBRARY.files.test(name));
  return new Map([
    ...FILES.map(({ path, name, contentType }) => page(path, contentType, readFileSync(new URL(`chat-page/${name}`, import.meta.url)))),
    ...CLIENT_FILES.map((name) => page(`/client/${name}.ts`, SCRIPT, clientFile(name))),
    ...served.map((name) => page(`${LIBRARY.folder}/${name}`, SCRIPT, readFileSync(join(libraryFolder, name)))),
  ]);
}

/** An import map would be an inline script, which the policy forbids: so the one name is written as an address. */
function clientFile(name: string): string {
  const text = withoutTypes(readFileSync(new URL(`../client/${name}.ts`, import.meta.url), 'utf8'));
  return text.replace(`'${LIBRARY.name}'`, `'${LIBRARY.folder}/client.js'`);
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
