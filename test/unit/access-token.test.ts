import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { createAccessTokens } from '../../src/identity/access-token.ts';
import { newUuid } from '../../src/platform/id.ts';
import { deriveSecrets } from '../../src/platform/secrets.ts';

const START = Date.UTC(2030, 0, 1);
const TTL_MS = 60_000;
const { signingSeed } = deriveSecrets('the secret of these tests, 32 characters');
const ourKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), signingSeed]),
  format: 'der',
  type: 'pkcs8',
});

const clock = { at: START, now: () => clock.at, monotonic: () => clock.at };
const tokens = createAccessTokens({ signingSeed, clock, ttlMs: TTL_MS });
const [userUuid, sessionUuid] = [newUuid(), newUuid()];

const claims = { iss: 'rookery', aud: 'rookery', sub: userUuid, sid: sessionUuid, iat: START / 1_000, exp: START / 1_000 + 60 };
const header = { alg: 'EdDSA', typ: 'at+jwt' };

type Key = Parameters<SignJWT['sign']>[0];

function signed(changes: object = {}, headerChanges: object = {}, key: Key = ourKey): Promise<string> {
  return new SignJWT({ ...claims, ...changes }).setProtectedHeader({ ...header, ...headerChanges }).sign(key);
}

/** Written by hand, as no library signs what is wrong on purpose. */
function unsigned(head: object, signature: (text: string) => string): string {
  const text = [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${signature(text)}`;
}

const NOT_VALID = { code: 'UNAUTHENTICATED', message: 'The access token is not valid: sign in, or refresh the session.' };
const EXPIRED = { code: 'UNAUTHENTICATED', message: 'The access token has expired: refresh the session.' };

describe('access tokens', () => {
  test('say whose they are, until when, and nothing else', async () => {
    const { token, expiresAt } = await tokens.sign(userUuid, sessionUuid);
    expect(expiresAt).toEqual(new Date(START + TTL_MS));
    expect(await tokens.verify(token)).toEqual({ userUuid, sessionUuid, expiresAtMs: START + TTL_MS });
    expect(await tokens.verify(await signed())).toEqual({ userUuid, sessionUuid, expiresAtMs: START + TTL_MS });
    const [head = '', body = ''] = token.split('.');
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual(header);
    expect(JSON.parse(Buffer.from(body, 'base64url').toString())).toEqual(claims);
  });

  test('are good on every server with the same secret and on no other', async () => {
    const { token } = await tokens.sign(userUuid, sessionUuid);
    await expect(createAccessTokens({ signingSeed, clock, ttlMs: 1 }).verify(token)).resolves.toMatchObject({ userUuid });
    const other = createAccessTokens({ signingSeed: deriveSecrets('another secret').signingSeed, clock, ttlMs: TTL_MS });
    await expect(other.verify(token)).rejects.toMatchObject(NOT_VALID);
  });

  test('end with the clock that was given', async () => {
    const late = { at: START, now: () => late.at, monotonic: () => late.at };
    const checked = createAccessTokens({ signingSeed, clock: late, ttlMs: TTL_MS });
    const { token } = await checked.sign(userUuid, sessionUuid);
    late.at = START + TTL_MS - 1;
    await expect(checked.verify(token)).resolves.toMatchObject({ sessionUuid });
    late.at = START + TTL_MS;
    await expect(checked.verify(token)).rejects.toMatchObject(EXPIRED);
  });

  const publicKey = createPublicKey(ourKey);
  const publicBytes = [
    publicKey.export({ format: 'pem', type: 'spki' }),
    publicKey.export({ format: 'der', type: 'spki' }),
    publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
  ];
  const hs256 = (key: string | Buffer) => (text: string) => createHmac('sha256', key).update(text).digest('base64url');

  test.each<readonly [string, () => string | Promise<string>]>([
    ['unsigned, alg none', () => unsigned({ alg: 'none', typ: 'at+jwt' }, () => '')],
    ['unsigned, alg NONE', () => unsigned({ alg: 'NONE', typ: 'at+jwt' }, () => 'AA')],
    ...publicBytes.map(
      (key, index) =>
        [`signed by HS256 with the public key, form ${index}`, () => unsigned({ alg: 'HS256', typ: 'at+jwt' }, hs256(key))] as const,
    ),
    ['signed by HS256 under the name of EdDSA', () => unsigned(header, hs256(publicBytes[2] ?? ''))],
    ['signed by another key of the same kind', () => signed({}, {}, generateKeyPairSync('ed25519').privateKey)],
    ['signed by a key it brings along', () => bringingItsKey()],
    ['with an unknown critical header', () => unsigned({ ...header, crit: ['x'], x: 1 }, () => randomBytes(64).toString('base64url'))],
    ['without expiry', () => signed({ exp: undefined })],
    ['with an expiry that is no number', () => signed({ exp: 'never' })],
    ['without a time of issue', () => signed({ iat: undefined })],
    ['without a user', () => signed({ sub: undefined })],
    ['without a session', () => signed({ sid: undefined })],
    ['with a session that is no text', () => signed({ sid: 7 })],
    ['of another issuer', () => signed({ iss: 'rook' })],
    ['without an issuer', () => signed({ iss: undefined })],
    ['for another audience', () => signed({ aud: 'other' })],
    ['without an audience', () => signed({ aud: undefined })],
    ['of another type', () => signed({}, { typ: 'JWT' })],
    ['without a type', () => signed({}, { typ: undefined })],
    ['not yet valid', () => signed({ nbf: START / 1_000 + 10 })],
    ['cut', async () => (await signed()).slice(0, -4)],
    ['with another user written in', async () => swapBody(await signed(), { ...claims, sub: newUuid() })],
    ['of no form at all', () => 'a.b.c'],
    ['empty', () => ''],
  ])('are refused when %s', async (_, forge) => {
    await expect(tokens.verify(await forge())).rejects.toMatchObject(NOT_VALID);
  });

  test('are refused when expired, also by a second', async () => {
    await expect(tokens.verify(await signed({ exp: START / 1_000 }))).rejects.toMatchObject(EXPIRED);
  });
});

async function bringingItsKey(): Promise<string> {
  const pair = generateKeyPairSync('ed25519');
  return signed({}, { jwk: pair.publicKey.export({ format: 'jwk' }) }, pair.privateKey);
}

function swapBody(token: string, body: object): string {
  const [head = '', , signature = ''] = token.split('.');
  return [head, Buffer.from(JSON.stringify(body)).toString('base64url'), signature].join('.');
}
