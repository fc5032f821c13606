import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { downloadSmall } from '../../src/platform/small-download.ts';

const options = () => ({ headers: {}, signal: AbortSignal.timeout(5_000), bytesMax: 1_000 });

describe('a small download', () => {
  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'https://169.254.169.254/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://0251.0376.0251.0376/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[fd00:ec2::254]/',
  ])('is not made from %s', async (address) => {
    await expect(downloadSmall(new URL(address), options())).rejects.toThrow('must not lead to a link-local address');
  });

  test('by name comes from this machine, follows no redirect, and ends at its limit and its deadline', async () => {
    const server = createServer((request, response) => {
      switch (request.url) {
        case '/small?a=b':
          return response.end(`for ${request.headers.host}`);
        case '/away':
          return response.writeHead(302, { Location: 'http://169.254.169.254/' }).end();
        case '/large':
          return response.end('x'.repeat(1_001));
        default: // Never.
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The server must listen on a port.');
    const base = `http://localhost:${address.port}`;
    expect(await downloadSmall(new URL(`${base}/small?a=b`), options())).toEqual({ status: 200, body: `for localhost:${address.port}` });
    expect(await downloadSmall(new URL(`${base}/away`), options())).toEqual({ status: 302, body: '' });
    await expect(downloadSmall(new URL(`${base}/large`), options())).rejects.toThrow('at most 1000 bytes');
    await expect(downloadSmall(new URL(`${base}/never`), { ...options(), signal: AbortSignal.timeout(50) })).rejects.toThrow();
    server.closeAllConnections();
    server.close();
  });
});
