import { isIP } from 'node:net';
import { createLengthCache } from './length-cache.ts';

const IPV4_MAPPED = 0xffffn << 32n;
const BITS = { 4: 32, 6: 128 } as const;

type Address = { readonly family: 4 | 6; readonly bits: bigint };

/** Whether an address is in one of these networks. Throws, in words, for what is no network. */
export function createNetworks(texts: readonly string[]): (address: string) => boolean {
  const networks = texts.map(networkFrom);
  return (text) => {
    const address = parse(text);
    return address !== null && networks.some(({ family, bits, shift }) => family === address.family && address.bits >> shift === bits);
  };
}

function networkFrom(text: string) {
  const [head = '', prefix, ...rest] = text.split('/');
  const address = parse(head);
  const size = address === null ? 0 : BITS[address.family];
  const length = prefix === undefined ? size : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (address === null || rest.length > 0 || length < 0 || length > size)
    throw new Error(`must be networks such as 10.0.0.0/8 or 2001:db8::/32, or addresses, got ${JSON.stringify(text)}`);
  const shift = BigInt(size - length);
  return { family: address.family, bits: address.bits >> shift, shift };
}

/** Whether it is an address at all; one of IPv4 that is written as IPv6 is one of IPv4. */
export function isAddress(text: string): boolean {
  return parse(text) !== null;
}

/** What is counted as one client: an IPv4 address, or the /64 network of an IPv6 one, which is what one household or server has. */
export function networkOf(text: string): string {
  if (text.length > ADDRESS_LENGTH_MAX) return findNetwork(text);
  let network = known.get(text);
  if (network === undefined) {
    network = findNetwork(text);
    // A copy: a part of a header would keep all of it.
    known.set(Buffer.from(text).toString(), network, network.length);
  }
  return network;
}

/** Of IPv6, with one of IPv4 at its end. With the name of an interface it may be longer. */
const ADDRESS_LENGTH_MAX = 45;
/** Some thousands of addresses, most of which come again. */
const known = createLengthCache<string>({ lengthMax: 200_000 });

function findNetwork(text: string): string {
  const address = parse(text);
  if (address === null) return 'unknown';
  const { family, bits } = address;
  return family === 4
    ? [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 255n)).join('.')
    : [112n, 96n, 80n, 64n].map((shift) => ((bits >> shift) & 0xffffn).toString(16)).join(':');
}

function parse(text: string): Address | null {
  const [address = ''] = text.split('%'); // Of which interface it is does not matter.
  switch (isIP(address)) {
    case 4:
      return { family: 4, bits: ipv4Bits(address) };
    case 6: {
      const bits = ipv6Bits(address);
      return bits >> 32n === IPV4_MAPPED >> 32n ? { family: 4, bits: bits & 0xffff_ffffn } : { family: 6, bits };
    }
    default:
      return null;
  }
}

function ipv4Bits(address: string): bigint {
  return address.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

/** Of what isIP has found to be one. */
function ipv6Bits(address: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (dotted !== null) {
    const low = ipv4Bits(dotted[2] ?? '');
    return ipv6Bits(`${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`);
  }
  const [head = '', tail] = address.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const missing = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...missing, ...after].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}
