import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { createNetworks, networkOf } from '../../src/platform/network-address.ts';
import { createNetworkOf } from '../../src/server/client-network.ts';

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0db8:0001:0002::1', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::ffff:cb00:7107', '203.0.113.7'],
  ['::1', '0:0:0:0'],
  ['no address', 'unknown'],
  ['', 'unknown'],
])('%s is counted as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test.each([
  ['10.0.0.0/8', '10.200.3.4', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['10.0.0.0/8', '::ffff:10.1.1.1', true],
  ['203.0.113.7', '203.0.113.7', true],
  ['203.0.113.7', '203.0.113.8', false],
  ['0.0.0.0/0', '8.8.8.8', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['2001:db8::/33', '2001:db8:7fff::1', true],
  ['2001:db8::/33', '2001:db8:8000::1', false],
  ['::1', '::1', true],
])('of the network %s is %s: %s', (network, address, expected) => {
  expect(createNetworks([network])(address)).toBe(expected);
});

test.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0/8', '2001:db8::/129', 'localhost', '10.0.0.0/8/8', '10.0.0.0/-1'])(
  '%s is no network',
  (text) => {
    expect(() => createNetworks([text])).toThrow(/^must be networks such as .* got/);
  },
);

const request = (remoteAddress: string, forwarded?: string) =>
  // All that is looked at.
  ({ socket: { remoteAddress }, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } }) as IncomingMessage;

test.each([
  ['what a peer says that is not trusted is not listened to', '198.51.100.1', '203.0.113.7', '198.51.100.1'],
  ['of a trusted one the hop it was told of counts', '10.0.0.1', '203.0.113.7', '203.0.113.7'],
  ['what the client wrote before that does not', '10.0.0.1', '8.8.8.8, 203.0.113.7', '203.0.113.7'],
  ['further proxies are passed over', '10.0.0.1', '8.8.8.8, 203.0.113.7, 10.1.2.3, fd00::7', '203.0.113.7'],
  ['where all are trusted, the first', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['ports and brackets are left out', '10.0.0.1', '[2001:db8:1:2:3::4]:5678', '2001:db8:1:2'],
  ['and with IPv4', '10.0.0.1', '203.0.113.7:5678', '203.0.113.7'],
  ['what is no address ends it', '10.0.0.1', '203.0.113.7, unknown, 10.0.0.2', '10.0.0.2'],
  ['nothing at all leaves the peer', '10.0.0.1', '', '10.0.0.1'],
])('%s', (_title, peer, forwarded, expected) => {
  expect(createNetworkOf(['10.0.0.0/8', 'fd00::/8'])(request(peer, forwarded))).toBe(expected);
});

test('without trusted proxies, and without the header, it is the address of the connection', () => {
  expect(createNetworkOf([])(request('10.0.0.1', '203.0.113.7'))).toBe('10.0.0.1');
  expect(createNetworkOf(['10.0.0.0/8'])(request('10.0.0.1'))).toBe('10.0.0.1');
});
