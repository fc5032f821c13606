import { randomFillSync } from 'node:crypto';

/**
 * Public ids: a prefix that tells the type, then 128 bits as 26 lowercase characters of Crockford's base32. A message's id carries its
 * conversation and its sequence, a member's its conversation and its user, so both decode to a primary key. Every id has one spelling:
 * whatever is not exactly what `encode…` writes decodes to null. Ids are no secrets and no permissions: access is checked for each.
 */
export type NodeId =
  | { readonly type: UuidType; readonly uuid: string }
  | { readonly type: 'Message'; readonly conversationUuid: string; readonly sequence: number }
  | { readonly type: 'Member'; readonly conversationUuid: string; readonly userUuid: string };

export type IdPrefix = 'usr' | 'cnv' | 'vwr' | 'ses';
type UuidType = 'User' | 'Conversation' | 'Viewer' | 'Session';

const MESSAGE = 'msg_';
const MEMBER = 'mbr_';
const PREFIX_LENGTH = 4;
/** 130 bits in 26 characters: the first one carries three bits only. */
const UUID_LENGTH = 26;
/** Enough for every 64-bit number; those above 2^53 are refused by their value. */
const SEQUENCE_LENGTH_MAX = 13;

/** `usr_01jqz…` of `0195fe…`. The UUID is in its canonical form: lowercase, with dashes. */
export function encodeId(prefix: IdPrefix, uuid: string): string {
  return `${prefix}_${encodeUuid(uuid)}`;
}

/** The UUID of an id of this type, or null. */
export function decodeId(prefix: IdPrefix, id: string): string | null {
  if (id.length !== PREFIX_LENGTH + UUID_LENGTH || !id.startsWith(prefix) || id.charCodeAt(PREFIX_LENGTH - 1) !== UNDERSCORE) return null;
  return decodeUuid(id, PREFIX_LENGTH);
}

/** Messages are told page by page, each page of one conversation. */
let lastConversation = { uuid: '', text: '' };

export function encodeMessageId(conversationUuid: string, sequence: number): string {
  if (lastConversation.uuid !== conversationUuid) lastConversation = { uuid: conversationUuid, text: encodeUuid(conversationUuid) };
  return `${MESSAGE}${lastConversation.text}${encodeSequence(sequence)}`;
}

export function encodeMemberId(conversationUuid: string, userUuid: string): string {
  return `${MEMBER}${encodeUuid(conversationUuid)}${encodeUuid(userUuid)}`;
}

/** What an id of any type names, or null when no `encode…` has written it. */
export function decodeNodeId(id: string): NodeId | null {
  switch (id.slice(0, PREFIX_LENGTH)) {
    case 'usr_':
      return ofUuid('User', decodeId('usr', id));
    case 'cnv_':
      return ofUuid('Conversation', decodeId('cnv', id));
    case 'vwr_':
      return ofUuid('Viewer', decodeId('vwr', id));
    case 'ses_':
      return ofUuid('Session', decodeId('ses', id));
    case MESSAGE: {
      const conversationUuid = decodeUuid(id, PREFIX_LENGTH);
      const sequence = decodeSequence(id, PREFIX_LENGTH + UUID_LENGTH);
      return conversationUuid === null || sequence === null ? null : { type: 'Message', conversationUuid, sequence };
    }
    case MEMBER: {
      if (id.length !== PREFIX_LENGTH + 2 * UUID_LENGTH) return null;
      const conversationUuid = decodeUuid(id, PREFIX_LENGTH);
      const userUuid = decodeUuid(id, PREFIX_LENGTH + UUID_LENGTH);
      return conversationUuid === null || userUuid === null ? null : { type: 'Member', conversationUuid, userUuid };
    }
    default:
      return null;
  }
}

/** A UUID of version 7: the first 48 bits are the time in milliseconds, so rows made together lie together in an index. */
export function newUuid(): string {
  const bytes = randomBytes();
  const at = Date.now();
  const high = Math.floor(at / 2 ** 16);
  const text =
    hex(high, 8) +
    hex(at % 2 ** 16, 4) +
    hex(0x7000 + (bytes.readUInt16BE(0) & 0xfff), 4) +
    hex(0x8000 + (bytes.readUInt16BE(2) & 0x3fff), 4) +
    bytes.toString('hex', 4, 10);
  return dashed(text);
}

function ofUuid(type: UuidType, uuid: string | null): NodeId | null {
  return uuid === null ? null : { type, uuid };
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const UNDERSCORE = 0x5f;
const INVALID = 0xff;
/** The value of a character by its code; INVALID outside of the alphabet. */
const BASE32 = valuesOf(ALPHABET);
const HEX = valuesOf('0123456789abcdef');
/** Two characters for ten bits. */
const PAIRS: readonly string[] = Array.from({ length: 1024 }, (_, bits) => ALPHABET.charAt(bits >> 5) + ALPHABET.charAt(bits & 31));
const HEX_TRIPLES: readonly string[] = Array.from({ length: 4096 }, (_, bits) => hex(bits, 3));
/** Where the 32 digits of a UUID stand among its dashes. */
const DIGITS: readonly number[] = Array.from({ length: 36 }, (_, at) => at).filter((at) => ![8, 13, 18, 23].includes(at));

/** 128 bits are 8 and six times 20; 20 bits are five hexadecimal digits and four characters of base32. */
function encodeUuid(uuid: string): string {
  let text = PAIRS[digits(uuid, 0, 2)] ?? '';
  for (let at = 2; at < 32; at += 5) {
    const bits = digits(uuid, at, 5);
    text += (PAIRS[bits >> 10] ?? '') + (PAIRS[bits & 1023] ?? '');
  }
  return text;
}

function digits(uuid: string, from: number, count: number): number {
  let bits = 0;
  for (let at = from; at < from + count; at += 1) {
    const value = HEX[uuid.charCodeAt(DIGITS[at] ?? 0)] ?? INVALID;
    if (value === INVALID) throw new Error(`A UUID must have 32 lowercase hexadecimal digits, got ${JSON.stringify(uuid.slice(0, 64))}.`);
    bits = bits * 16 + value;
  }
  return bits;
}

function decodeUuid(id: string, from: number): string | null {
  const first = characters(id, from, 2);
  if (first === null || first > 0xff) return null;
  let text = (HEX_TRIPLES[first] ?? '').slice(1);
  for (let at = from + 2; at < from + UUID_LENGTH; at += 4) {
    const high = characters(id, at, 2);
    const low = characters(id, at + 2, 2);
    if (high === null || low === null) return null;
    const bits = high * 1024 + low;
    text += (HEX_TRIPLES[bits >> 12] ?? '').slice(1) + (HEX_TRIPLES[bits & 0xfff] ?? '');
  }
  return dashed(text);
}

/** Null also where the text ends too early: the code is then NaN. */
function characters(id: string, from: number, count: number): number | null {
  let bits = 0;
  for (let at = from; at < from + count; at += 1) {
    const value = BASE32[id.charCodeAt(at)] ?? INVALID;
    if (value === INVALID) return null;
    bits = bits * 32 + value;
  }
  return bits;
}

function encodeSequence(sequence: number): string {
  if (!Number.isSafeInteger(sequence) || sequence < 1)
    throw new Error(`A sequence must be a whole number from 1 to 2^53 - 1, got ${sequence}.`);
  let text = '';
  for (let rest = sequence; rest > 0; rest = Math.floor(rest / 32)) text = ALPHABET.charAt(rest % 32) + text;
  return text;
}

function decodeSequence(id: string, from: number): number | null {
  const length = id.length - from;
  if (length < 1 || length > SEQUENCE_LENGTH_MAX || id.charAt(from) === '0') return null;
  const sequence = characters(id, from, length);
  return sequence !== null && Number.isSafeInteger(sequence) ? sequence : null;
}

function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(128).fill(INVALID);
  for (let value = 0; value < alphabet.length; value += 1) values[alphabet.charCodeAt(value)] = value;
  return values;
}

function hex(value: number, length: number): string {
  return value.toString(16).padStart(length, '0');
}

function dashed(text: string): string {
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

const RANDOM_BYTES = 10;
const pool = Buffer.allocUnsafe(RANDOM_BYTES * 256);
let poolAt = pool.length;

/** The system's randomness costs a call, so it is asked for 256 UUIDs at once. The bytes are valid until the next call. */
function randomBytes(): Buffer {
  if (poolAt === pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  poolAt += RANDOM_BYTES;
  return pool.subarray(poolAt - RANDOM_BYTES, poolAt);
}
