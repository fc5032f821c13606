import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { EXAMPLES, HEADERS } from './graphiql-examples.ts';
import { type Exchange, reply } from './reply.ts';

/** Nine megabytes: good enough and soon done counts for more than the last percent. */
const BROTLI_OPTIONS = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

export type GraphiQL = { readonly reply: (exchange: Exchange) => Promise<void> };

const OPTIONS = {
  title: 'Rookery · GraphiQL',
  subscriptionsProtocol: 'WS',
  shouldPersistHeaders: false,
  defaultTabs: EXAMPLES.map(({ query, variables = '' }) => ({ query, variables })),
  headers: HEADERS,
} as const;

type Change = { readonly purpose: string; readonly from: RegExp; readonly to: string };

/** What GraphiQL has no options for. Names that its build has shortened are found by the words around them. */
const CHANGES: readonly Change[] = [
  {
    // Its client for sockets knows nothing of the headers, and without them there is no token. It opens a socket per subscription.
    purpose: 'The headers of a subscription are the payload of connection_init.',
    from: /(\w+)\?\.connectionParams&&typeof \1\?\.connectionParams=="object"&&\((\w+)=Object\.assign\(\2,\1\.connectionParams\)\)/,
    to: '$2={...$1?.headers}',
  },
  {
    // So the token is put in once, not once for each tab.
    purpose: 'The headers stay when another tab is looked at.',
    from: /,\w+\?\.setValue\(\w+\?\?\w+\?\?""\)/,
    to: '',
  },
  {
    // Held within their row by its animation library, tabs jump away from the first press on them (motion issue 3823).
    purpose: 'A tab is opened by the first click on it.',
    from: /dragConstraints:\w+,(?=value:)/,
    to: '',
  },
  {
    purpose: 'The tab that is open first shows its own query and variables.',
    from: /initialQuery:\w+\?\?\((\w+)===0\?(\w+)\[0\]\.query:null\)\?\?"",initialVariables:\w+\?\?""/,
    to: 'initialQuery:$2[$1].query??"",initialVariables:$2[$1].variables??""',
  },
  {
    purpose: 'A page that is loaded again has the tabs it had, and one more only when its address holds a query.',
    from: /if\((\w+)>=0\)(\w+)\.activeTabIndex=\1;else\{/,
    to: 'if($1>=0)$2.activeTabIndex=$1;else if(new URL(location.href).searchParams.has("query")){',
  },
];

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
      // With every answer: browsers put the headers of a 304 over those they have kept, and would apply the policy of the API to the page.
      const commonHeaders = {
        ETag: etag,
        'Cache-Control': 'no-cache',
        Vary: 'Accept, Accept-Encoding, Origin',
        'Content-Security-Policy': policy,
      };
      if (headers['if-none-match'] === etag) return reply(exchange, 304, commonHeaders, '');
      const encodingHeaders: Readonly<Record<string, string>> = encoding === 'identity' ? {} : { 'Content-Encoding': encoding };
      const headersOfPage = { 'Content-Type': 'text/html; charset=utf-8', ...commonHeaders, ...encodingHeaders };
      reply(exchange, 200, headersOfPage, bodies.get(encoding) ?? '');
    },
  };
}

async function render(): Promise<Rendered> {
  // Loaded here, as servers that do not show the page need not hold it.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html = withChanges(renderGraphiQL(OPTIONS)).replaceAll('\r\n', '\n'); // As browsers do before they hash a script.
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

/** Throws when GraphiQL is built in another way than a change expects. */
function withChanges(html: string): string {
  return CHANGES.reduce((page, { purpose, from, to }) => {
    if (!from.test(page)) throw new Error(`GraphiQL has no place for this change any more: ${purpose}`);
    return page.replace(from, to);
  }, html);
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
