import { randomBytes, randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decodeId, decodeNodeId, encodeId, encodeMemberId, encodeMessageId, newUuid } from '../../src/platform/id.ts';

const ROUNDS = 2_000;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

function anyUuid(): string {
  const text = randomBytes(16).toString('hex');
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The same encoding, written plainly with big numbers. */
function plainly(uuid: string): string {
  let rest = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let text = '';
  for (let at = 0; at < 26; at += 1, rest /= 32n) text = ALPHABET.charAt(Number(rest % 32n)) + text;
  return text;
}

describe('ids', () => {
  test('are the prefix and the 128 bits in base32, and decode to what they were made of', () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [uuid, other] = [anyUuid(), anyUuid()];
      const sequence = randomInt(1, 2 ** randomInt(1, 48));
      expect(encodeId('usr', uuid)).toBe(`usr_${plainly(uuid)}`);
      expect(decodeId('usr', encodeId('usr', uuid))).toBe(uuid);
      expect(decodeNodeId(encodeId('usr', uuid))).toEqual({ type: 'User', uuid });
      expect(decodeNodeId(encodeId('cnv', uuid))).toEqual({ type: 'Conversation', uuid });
      expect(decodeNodeId(encodeId('vwr', uuid))).toEqual({ type: 'Viewer', uuid });
      expect(decodeNodeId(encodeMessageId(uuid, sequence))).toEqual({ type: 'Message', conversationUuid: uuid, sequence });
      expect(decodeNodeId(encodeMemberId(uuid, other))).toEqual({ type: 'Member', conversationUuid: uuid, userUuid: other });
    }
  });

  test('reach from the smallest to the largest UUID and sequence', () => {
    expect(encodeId('cnv', '00000000-0000-0000-0000-000000000000')).toBe('cnv_00000000000000000000000000');
    expect(encodeId('cnv', 'ffffffff-ffff-ffff-ffff-ffffffffffff')).toBe('cnv_7zzzzzzzzzzzzzzzzzzzzzzzzz');
    const uuid = anyUuid();
    for (const sequence of [1, 31, 32, 33, 1_024, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      expect(decodeNodeId(encodeMessageId(uuid, sequence))).toEqual({ type: 'Message', conversationUuid: uuid, sequence });
    }
    for (const sequence of [0, -1, 1.5, Number.NaN, 2 ** 53]) expect(() => encodeMessageId(uuid, sequence)).toThrow('A sequence must be');
  });

  test('have one spelling: every other text decodes to null', () => {
    const zero = '00000000000000000000000000';
    for (const id of [
      ...['', '_', 'usr', 'usr_', zero, `usr${zero}`, `USR_${zero}`, `xyz_${zero}`, `usr-${zero}`, ` usr_${zero}`, `usr_${zero} `],
      ...[`usr_${zero}0`, `usr_${zero.slice(1)}`, `usr_8${zero.slice(1)}`, `usr_z${zero.slice(1)}`, `usr_${'7ZZZZZZZZZZZZZZZZZZZZZZZZZ'}`],
      ...['i', 'l', 'o', 'u', '-', ' ', 'é', '\u0000', '\ud800', 'İ', '\u2028'].map((character) => `cnv_0${character}${zero.slice(2)}`),
      ...[
        `msg_${zero}`,
        `msg_${zero}0`,
        `msg_${zero}01`,
        `msg_${zero}zzzzzzzzzzz`,
        `msg_${zero}g000000000000`,
        `msg_${zero}10000000000000`,
        `msg_${zero}l`,
        `msg_8${zero.slice(1)}1`,
      ],
      ...[`mbr_${zero}`, `mbr_${zero}${zero}0`, `mbr_${zero}8${zero.slice(1)}`, `mbr_${zero}${zero.slice(1)}`],
    ]) {
      expect(decodeNodeId(id), id).toBeNull();
      expect(decodeId('usr', id), id).toBeNull();
      expect(decodeId('cnv', id), id).toBeNull();
    }
    expect(decodeId('usr', `cnv_${zero}`)).toBeNull();
  });

  test('that decode are written the same again, whatever text was tried', () => {
    let decoded = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const characters = Array.from({ length: 26 + randomInt(0, 14) }, () => ALPHABET.charAt(randomInt(32))).join('');
      for (const prefix of ['usr', 'cnv', 'vwr', 'msg', 'mbr']) {
        const id = `${prefix}_${characters}`;
        const node = decodeNodeId(id);
        if (node === null) continue;
        decoded += 1;
        if (node.type === 'Message') expect(encodeMessageId(node.conversationUuid, node.sequence)).toBe(id);
        else if (node.type === 'Member') expect(encodeMemberId(node.conversationUuid, node.userUuid)).toBe(id);
        else expect(id.slice(4)).toBe(plainly(node.uuid));
      }
    }
    expect(decoded).toBeGreaterThan(0);
  });

  test('refuse to be made of what is no canonical UUID', () => {
    for (const uuid of ['', 'x', anyUuid().slice(0, 35), anyUuid().toUpperCase().replace(/^./, 'A'), anyUuid().replace(/^./, 'g')]) {
      expect(() => encodeId('usr', uuid), uuid).toThrow('A UUID must have');
    }
  });
});

describe('new UUIDs', () => {
  test('are of version 7, carry the time and never repeat', () => {
    const from = Date.now();
    const uuids = Array.from({ length: ROUNDS }, newUuid);
    const to = Date.now();
    for (const uuid of uuids) {
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      const at = Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
      expect(at).toBeGreaterThanOrEqual(from);
      expect(at).toBeLessThanOrEqual(to);
    }
    expect(new Set(uuids).size).toBe(ROUNDS);
  });
});
