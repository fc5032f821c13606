import { lookup } from 'node:dns/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP } from 'node:net';

export type SmallDownload = { readonly status: number; readonly body: string };

export type SmallDownloadOptions = {
  readonly headers: Readonly<Record<string, string>>;
  /** Aborts it: the deadline. */
  readonly signal: AbortSignal;
  /** More is an error. */
  readonly bytesMax: number;
};

/** What a cloud tells its machines, their credentials among it, is answered on link-local addresses; on AWS also on the last one. */
const FORBIDDEN = new BlockList();
FORBIDDEN.addSubnet('169.254.0.0', 16, 'ipv4');
FORBIDDEN.addSubnet('fe80::', 10, 'ipv6');
FORBIDDEN.addAddress('fd00:ec2::254', 'ipv6');

/**
 * GET of something small, from an address that an operator chose: no redirects, nothing link-local. The name is resolved here, and what
 * was looked at is what is connected to, so that a name server cannot give one answer to the check and another to the connection.
 */
export async function downloadSmall(url: URL, options: SmallDownloadOptions): Promise<SmallDownload> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) === 0 ? (await lookup(host, { all: true })).map(({ address }) => address) : [host];
  for (const address of addresses) {
    if (FORBIDDEN.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
      throw new Error(`${url.host} must not lead to a link-local address, got ${address}.`);
  }
  let failure: unknown = new Error(`${url.host} must have an address, got none.`);
  for (const address of addresses) {
    try {
      return await download(url, host, address, options);
    } catch (error) {
      failure = error;
      if (options.signal.aborted) break;
    }
  }
  throw failure;
}

async function download(
  url: URL,
  host: string,
  address: string,
  { headers, signal, bytesMax }: SmallDownloadOptions,
): Promise<SmallDownload> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options = {
    host: address,
    port: url.port === '' ? undefined : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host },
    agent: false,
    signal,
    // Certificates are checked for the name, though the connection is to an address.
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
  const request = url.protocol === 'https:' ? requestHttps(options) : requestHttp(options);
  request.once('response', resolve).on('error', reject).end();
  const response = await promise;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response) {
      // Without an encoding a response yields buffers.
      const bytes = chunk as Buffer;
      length += bytes.length;
      if (length > bytesMax) throw new Error(`What ${url.host} answers must be at most ${bytesMax} bytes.`);
      chunks.push(bytes);
    }
  } finally {
    request.destroy();
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
}
