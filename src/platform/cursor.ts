import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hash, timingSafeEqual } from 'node:crypto';
import { badInput } from './errors.ts';
import { createLengthCache } from './length-cache.ts';

/** What a cursor holds: safe integers, and strings of at most 253 bytes in UTF-8. */
export type CursorPayload = readonly (number | string)[];

export type CursorCodec = {
  /** An opaque text of the base64url alphabet, at most 512 characters. `list` names the list, and whose it is. */
  encode(list: string, payload: CursorPayload): string;
  /** As `encode` of each number alone: for a page, whose cursors together take a fraction of the time that they take one by one. */
  encodeEach(list: string, numbers: readonly number[]): readonly string[];
  /** What `encode` was given. BAD_USER_INPUT for `field` when the cursor is made up, altered, cut, or of another list. */
  decode(field: string, list: string, cursor: string): CursorPayload;
};

/** 132 bits: nobody guesses a signature, and a cursor stays short enough to be sent with every edge and event. */
const SIGNATURE_LENGTH = 22;
const CURSOR_LENGTH_MAX = 512;
const PAYLOAD_BYTES_MAX = Math.floor(((CURSOR_LENGTH_MAX - SIGNATURE_LENGTH) * 3) / 4);
const HMAC_BYTES = 16;
/** Of AES: eight bytes that say of which list, and eight of the number. */
const BLOCK_BYTES = 16;
const TAG_BYTES = 8;
const BLOCK_LENGTH = 22;
/** Names of lists whose tags are remembered, in UTF-16 units: of several thousand. */
const TAGS_LENGTH_MAX = 250_000;
const CIPHER = 'aes-256-ecb';
const HALF = 2 ** 32;

/** An element begins with one of these two and a varint, or with STRING plus its length in bytes. */
const POSITIVE = 0;
const NEGATIVE = 1;
const STRING = 2;
const STRING_BYTES_MAX = 255 - STRING;

/**
 * Cursors that a client can neither read with profit nor alter.
 *
 * One of a single number that is not negative, as lists of messages have them, is one block of AES-256: what tells the list, in 64 bits, and the
 * number, enciphered together. Nobody finds another block in which the list and the eleven bits that no safe integer has are right but by asking
 * 2⁷⁵ times (Bellare, Rogaway: Encode-then-encipher encryption, 2000). Blocks do not depend on each other, so a page is one call.
 *
 * All others are the payload, then 22 characters of SHA-512/256 over the key, the list's name and the payload. What is hashed begins with the key, which
 * that hash allows: it shows half of its state, so nobody can go on from there with more (Coron, Dodis, Malinaud, Puniya: Merkle-Damgård Revisited,
 * 2005). Single numbers were signed like that, too, and before all by an HMAC: these are read as well.
 */
export function createCursorCodec(key: Buffer): CursorCodec {
  const secret = key.toString('base64url');
  const hmacKey = createSecretKey(key);
  // The length in front keeps the end of a list's name and the start of a payload apart.
  const sign = (list: string, text: string): string =>
    hash('sha512-256', `${secret}${list.length}:${list}${text}`, 'base64url').slice(0, SIGNATURE_LENGTH);

  const blockKey = createHmac('sha256', hmacKey).update('cursors of one number').digest();
  // Whole blocks without padding: what goes in comes out at once, and nothing is left for the next.
  const cipher = createCipheriv(CIPHER, blockKey, null).setAutoPadding(false);
  const decipher = createDecipheriv(CIPHER, blockKey, null).setAutoPadding(false);
  const tags = createLengthCache<Uint8Array>({ lengthMax: TAGS_LENGTH_MAX });

  function tagOf(list: string): Uint8Array {
    let tag = tags.get(list);
    if (tag === undefined) {
      // Of its own: a part of a buffer would keep all of it.
      tag = Uint8Array.from(hash('sha512-256', `${secret}${list}`, 'buffer').subarray(0, TAG_BYTES));
      tags.set(list, tag);
    }
    return tag;
  }

  function encodeEach(list: string, numbers: readonly number[]): readonly string[] {
    const tag = tagOf(list);
    const plain = Buffer.allocUnsafe(numbers.length * BLOCK_BYTES);
    let at = 0;
    for (const number of numbers) {
      if (!isBlockNumber(number)) throw new Error(`A cursor among many must be of a safe integer from 0, got ${number}.`);
      plain.set(tag, at);
      plain.writeUInt32BE(Math.floor(number / HALF), at + TAG_BYTES);
      plain.writeUInt32BE(number % HALF, at + TAG_BYTES + 4);
      at += BLOCK_BYTES;
    }
    const blocks = cipher.update(plain);
    return numbers.map((_, index) => blocks.toString('base64url', index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES));
  }

  function numberOf(list: string, cursor: string): number | null {
    if (cursor.length !== BLOCK_LENGTH) return null;
    const block = Buffer.from(cursor, 'base64url');
    if (block.length !== BLOCK_BYTES || block.toString('base64url') !== cursor) return null;
    const plain = decipher.update(block);
    const number = plain.readUInt32BE(TAG_BYTES) * HALF + plain.readUInt32BE(TAG_BYTES + 4);
    return timingSafeEqual(plain.subarray(0, TAG_BYTES), tagOf(list)) && isBlockNumber(number) ? number : null;
  }

  function payloadOf(list: string, cursor: string): Buffer | null {
    const text = cursor.slice(0, -SIGNATURE_LENGTH);
    if (!isSame(cursor.slice(-SIGNATURE_LENGTH), sign(list, text))) return null;
    return Buffer.from(text, 'base64url');
  }

  function payloadByHmac(list: string, cursor: string): Buffer | null {
    const all = Buffer.from(cursor, 'base64url');
    // Node reads base64url leniently, so one payload would have many spellings: only the one that was written is taken.
    if (all.length < HMAC_BYTES || all.toString('base64url') !== cursor) return null;
    const bytes = all.subarray(0, -HMAC_BYTES);
    const hmac = createHmac('sha256', hmacKey)
      .update(`${Buffer.byteLength(list)}:${list}`)
      .update(bytes)
      .digest();
    return timingSafeEqual(all.subarray(-HMAC_BYTES), hmac.subarray(0, HMAC_BYTES)) ? bytes : null;
  }

  return {
    encode(list, payload) {
      const [number] = payload;
      if (payload.length === 1 && isBlockNumber(number)) return encodeEach(list, [number])[0] ?? '';
      const text = pack(payload).toString('base64url');
      return `${text}${sign(list, text)}`;
    },
    encodeEach,
    decode(field, list, cursor) {
      const number = numberOf(list, cursor);
      if (number !== null) return [number];
      const bytes = cursor.length > CURSOR_LENGTH_MAX ? null : (payloadOf(list, cursor) ?? payloadByHmac(list, cursor));
      if (bytes === null) {
        throw badInput(
          field,
          `${lastName(field)} must be a cursor of this list as it was answered, got one that was altered, made up or of another list.`,
        );
      }
      return unpack(bytes);
    },
  };
}

function isBlockNumber(element: number | string | undefined): element is number {
  return Number.isSafeInteger(element) && Number(element) >= 0;
}

function isSame(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}

function pack(payload: CursorPayload): Buffer {
  const bytes: number[] = [];
  for (const element of payload) {
    if (typeof element === 'string') packString(bytes, element);
    else packNumber(bytes, element);
  }
  if (bytes.length > PAYLOAD_BYTES_MAX) throw new Error(`A cursor holds at most ${PAYLOAD_BYTES_MAX} bytes, got ${bytes.length}.`);
  return Buffer.from(bytes);
}

function packString(bytes: number[], text: string): void {
  const encoded = Buffer.from(text, 'utf8');
  if (encoded.length > STRING_BYTES_MAX)
    throw new Error(`A string in a cursor has at most ${STRING_BYTES_MAX} bytes, got ${encoded.length}.`);
  bytes.push(STRING + encoded.length, ...encoded);
}

/** Seven bits a byte, the lowest first; by division, as shifts would cut at 32 bits. */
function packNumber(bytes: number[], value: number): void {
  if (!Number.isSafeInteger(value)) throw new Error(`A number in a cursor must be a safe integer, got ${value}.`);
  bytes.push(value < 0 ? NEGATIVE : POSITIVE);
  let rest = value < 0 ? -1 - value : value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

/** Only of bytes whose signature was right: they are as `pack` made them. */
function unpack(bytes: Buffer): CursorPayload {
  const payload: (number | string)[] = [];
  let at = 0;
  while (at < bytes.length) {
    const head = bytes.readUInt8(at);
    at += 1;
    if (head >= STRING) {
      payload.push(bytes.toString('utf8', at, at + head - STRING));
      at += head - STRING;
      continue;
    }
    let value = 0;
    let unit = 1;
    let byte: number;
    do {
      byte = bytes.readUInt8(at);
      at += 1;
      value += (byte % 128) * unit;
      unit *= 128;
    } while (byte >= 128);
    payload.push(head === NEGATIVE ? -1 - value : value);
  }
  return payload;
}

function lastName(field: string): string {
  return field.slice(field.lastIndexOf('.') + 1);
}
