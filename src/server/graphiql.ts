import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { EXAMPLES } from './graphiql-examples.ts';
import { type Exchange, reply } from './reply.ts';

/** Nine megabytes: good enough and soon done counts for more than the last percent. */
const BROTLI_OPTIONS = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

export type GraphiQL = { readonly reply: (exchange: Exchange) => Promise<void> };

const OPTIONS = {
  title: 'Rookery · GraphiQL',
  subscriptionsProtocol: 'WS',
  shouldPersistHeaders: false,
  defaultTabs: EXAMPLES.map(({ query, variables = '', headers = '' }) => ({ query, variables, headers })),
  // The first tab's, which the page takes from nowhere else; its types do not know that.
  variables: EXAMPLES[0]?.variables ?? '',
} as const;

type Rendered = { readonly etag: string; readonly policy: string; readonly bodies: ReadonlyMap<string, Buffer> };

/** The GraphiQL page, whole in one answer, so that it works without the internet. Made when first asked for. */
export function createGraphiQL(): GraphiQL {
  let rendered: Promise<Rendered> | null = null;
  return {
    async reply(exchange) {
      rendered ??= render();
      const { etag, policy, bodies } = await rendered;
      const { headers } = exchange.request;
      const encoding = ['br', 'gzip'].find((name) => (headers['accept-encoding'] ?? '').includes(name)) ?? 'identity';
      const cacheHeaders = { ETag: etag, 'Cache-Control': 'no-cache', Vary: 'Accept, Accept-Encoding, Origin' };
      if (headers['if-none-match'] === etag) return reply(exchange, 304, cacheHeaders, '');
      const encodingHeaders: Readonly<Record<string, string>> = encoding === 'identity' ? {} : { 'Content-Encoding': encoding };
      const pageHeaders = { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy };
      reply(exchange, 200, { ...pageHeaders, ...cacheHeaders, ...encodingHeaders }, bodies.get(encoding) ?? '');
    },
  };
}

async function render(): Promise<Rendered> {
  // Loaded here, as servers that do not show the page need not hold it.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html = withTokenOnSockets(renderGraphiQL(OPTIONS)).replaceAll('\r\n', '\n'); // As browsers do before they hash a script.
  const page = Buffer.from(html);
  const [br, gz] = await Promise.all([promisify(brotliCompress)(page, BROTLI_OPTIONS), promisify(gzip)(page)]);
  return {
    etag: `"${createHash('sha256').update(page).digest('base64url')}"`,
    policy: policyFor(html),
    bodies: new Map([
      ['identity', page],
      ['br', br],
      ['gzip', gz],
    ]),
  };
}

/**
 * The page sends the headers of a tab with requests, and would open its sockets without: then there is no token. Its socket client takes
 * the payload of connection_init from `extensions.connectionParams`, so the tab's headers are handed to it there as well.
 */
function withTokenOnSockets(html: string): string {
  const patched = html.replace(/extensions:\{headers:(\w+)\?\.headers\}/, 'extensions:{headers:$1?.headers,connectionParams:$1?.headers}');
  if (patched === html)
    throw new Error('GraphiQL must hand the headers of a tab to its executor as it did, to be given a token on sockets.');
  return patched;
}

/** Allows this page's own script and nothing that comes from elsewhere. Its editor makes workers of blobs and writes styles. */
function policyFor(html: string): string {
  const [, script = ''] = /<script>([\s\S]*)<\/script>/.exec(html) ?? [];
  const hash = createHash('sha256').update(script).digest('base64');
  return [
    "default-src 'none'",
    `script-src 'sha256-${hash}' blob:`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}
