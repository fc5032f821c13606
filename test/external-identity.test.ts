import { createHmac, generateKeyPairSync } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../src/config.ts';
import { post } from './kit/http.ts';
import { AUDIENCE, IdentityProvider, ISSUER, newKey, signed } from './kit/identity-provider.ts';
import { startTestServer, type TestServer } from './kit/server.ts';
import { SocketClient } from './kit/ws-client.ts';

let provider: IdentityProvider;
let server: TestServer;
beforeAll(async () => {
  provider = await IdentityProvider.start();
  server = await startTestServer({ config: trusting(provider) });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

function trusting({ jwksUrl }: IdentityProvider): Partial<Config> {
  return { jwksUrl, jwtIssuer: ISSUER, jwtAudience: AUDIENCE };
}

type Me = {
  readonly tier: string;
  readonly role: string;
  readonly user: { id: string; handle: string; displayName: string; avatarUrl: string | null };
};

const WHO = '{ viewer { tier role user { id handle displayName avatarUrl } } }';
const nowS = () => Math.floor(Date.now() / 1_000);
let people = 0;
const newSub = () => `auth|${++people}-${Date.now()}`;

async function me(accessToken: string, url = server.url): Promise<Me> {
  const { body } = await post<{ viewer: Me }>(url, WHO, { accessToken });
  if (!body.data) throw new Error(`Must be somebody, got ${JSON.stringify(body.errors)}`);
  return body.data.viewer;
}

async function refusal(accessToken: string, url = server.url) {
  const { status, body } = await post(url, WHO, { accessToken });
  return { status, code: body.errors?.[0]?.extensions['code'], message: body.errors?.[0]?.message };
}

describe('a user of the identity provider', () => {
  test('is made on first sight, of what the token says, and known again', async () => {
    const claims = {
      sub: newSub(),
      name: 'Zoe\u0308 Ångström',
      preferred_username: 'Zoë.Å',
      picture: 'https://img.example/z.png',
      tier: 'premium',
      role: 'admin',
    };
    const first = await me(await provider.token(claims));
    expect(first).toEqual({
      tier: 'PREMIUM',
      role: 'ADMIN',
      user: { id: expect.stringMatching(/^usr_/), handle: 'zoe.a', displayName: 'Zoë Ångström', avatarUrl: 'https://img.example/z.png' },
    });
    expect(await me(await provider.token({ ...claims, iat: nowS() - 1 }))).toEqual(first);
  });

  test('is one, however many requests bring them for the first time', async () => {
    const sub = newSub();
    const tokens = await Promise.all(Array.from({ length: 10 }, (_, index) => provider.token({ sub, name: 'Ada', jti: String(index) })));
    await using other = await startTestServer({ database: server.database, config: trusting(provider) });
    const ids = await Promise.all(tokens.map((token, index) => me(token, index % 2 === 0 ? server.url : other.url)));
    expect(new Set(ids.map(({ user }) => user.id)).size).toBe(1);
  });

  test('gets a handle of their own when theirs is taken, also at the same moment', async () => {
    const preferred_username = `twin_${Date.now()}`;
    const tokens = await Promise.all(Array.from({ length: 6 }, () => provider.token({ sub: newSub(), preferred_username })));
    const handles = (await Promise.all(tokens.map((token) => me(token)))).map(({ user }) => user.handle);
    expect(new Set(handles).size).toBe(6);
    expect(handles).toContain(preferred_username);
    for (const handle of handles) expect(handle).toMatch(/^twin_\d+(_[0-9a-f]{6})?$/);
  });

  test('is let in whatever the other claims hold, and what cannot be used is passed over', async () => {
    const known = await me(await provider.token({ sub: newSub() }));
    expect(known).toMatchObject({
      tier: 'FREE',
      role: 'USER',
      user: { handle: expect.stringMatching(/^user_[0-9a-f]{6}$/), avatarUrl: null },
    });
    expect(known.user.displayName).toBe(known.user.handle);
    const wrong = {
      name: `\u202e${'n'.repeat(500)}\u0000`,
      preferred_username: '!!',
      picture: 'javascript:alert(1)',
      tier: 'gold',
      role: ['editor', 7],
    };
    expect(await me(await provider.token({ sub: newSub(), ...wrong }))).toMatchObject({
      tier: 'FREE',
      role: 'USER',
      user: { displayName: 'n'.repeat(80), handle: 'n'.repeat(32), avatarUrl: null },
    });
    for (const claims of [
      { name: '\u200b', preferred_username: 'ада', tier: 7, role: {}, picture: [] },
      {
        name: '\ud83d',
        preferred_username: '\ud800'.repeat(9),
        tier: 'anonymous',
        role: 'root',
        picture: `https://x.example/${'p'.repeat(2_048)}`,
      },
      { name: null, preferred_username: null, tier: null, role: null, picture: 'https://user:secret@x.example/' },
    ]) {
      expect(await me(await provider.token({ sub: newSub(), ...claims }))).toMatchObject({
        tier: 'FREE',
        role: 'USER',
        user: { avatarUrl: null },
      });
    }
  });

  test('becomes what a newer token says, keeps what it does not speak of, and nothing an older one said', async () => {
    const sub = newSub();
    const at = nowS();
    const before = await me(
      await provider.token({ sub, name: 'Ada', picture: 'https://img.example/a', tier: 'standard', role: 'admin', iat: at - 100 }),
    );
    const after = await me(await provider.token({ sub, name: 'Ada Lovelace', role: ['user'], iat: at - 50 }));
    expect(after).toEqual({ ...before, role: 'USER', user: { ...before.user, displayName: 'Ada Lovelace' } });
    // Another token of the time when she was an administrator, as one who was demoted may have kept it.
    expect(await me(await provider.token({ sub, name: 'Ada', role: 'admin', iat: at - 75, jti: 'kept' }))).toEqual(after);
    await using fresh = await startTestServer({ database: server.database, config: trusting(provider) });
    expect(await me(await provider.token({ sub, name: 'Ada', role: 'admin', iat: at - 100 }), fresh.url)).toEqual(after);
  });

  test('keeps what was changed here until a token is issued after that, and cannot keep a role by changing something else', async () => {
    const sub = newSub();
    const at = nowS();
    const old = await provider.token({ sub, name: 'Ada', tier: 'premium', role: 'admin', iat: at - 100 });
    const demoting = await provider.token({ sub, name: 'Ada', tier: 'standard', role: 'user', iat: at - 50 });
    const { user } = await me(old);
    const update = 'mutation { updateProfile(input: { displayName: "Countess" }) { user { id } } }';
    expect((await post(server.url, update, { accessToken: old })).body.errors).toBeUndefined();
    const setTier = `mutation { setUserTier(input: { userId: "${user.id}", tier: ENTERPRISE }) { tier } }`;
    expect((await post(server.url, setTier, { accessToken: old })).body.errors).toBeUndefined();
    expect(await me(demoting)).toMatchObject({ tier: 'ENTERPRISE', role: 'USER', user: { displayName: 'Countess' } });
    const later = await provider.token({ sub, name: 'Ada Lovelace', tier: 'standard', iat: nowS() + 20 });
    const clock = { now: () => Date.now() + 60_000, monotonic: () => performance.now() };
    await using fresh = await startTestServer({ database: server.database, clock, config: trusting(provider) });
    expect(await me(later, fresh.url)).toMatchObject({ tier: 'STANDARD', role: 'USER', user: { displayName: 'Ada Lovelace' } });
  });

  test('may come with times that no calendar knows', async () => {
    for (const times of [{ exp: 1e300 }, { iat: 1e300 }, { iat: -1e300 }, { iat: 1.5, exp: nowS() + 60.5 }]) {
      await using socket = await SocketClient.open(server.url, await provider.token({ sub: newSub(), ...times }));
      expect((await socket.run(WHO)).errors).toBeUndefined();
    }
  });

  test('costs one statement at first and none after, until a second has passed', async () => {
    const clock = { now: () => Date.now(), monotonic: () => 0 };
    await using still = await startTestServer({ database: server.database, clock, config: trusting(provider) });
    const accessToken = await provider.token({ sub: newSub(), name: 'Ada' });
    const ask = () => post(still.url, '{ viewer { tier } }', { accessToken });
    expect(await still.countStatements(ask)).toBe(1);
    expect(await still.countStatements(ask)).toBe(0);
    const again = await provider.token({ sub: newSub(), name: 'Ada', jti: 'again' });
    expect(
      await still.countStatements(() =>
        Promise.all(Array.from({ length: 20 }, () => post(still.url, '{ viewer { tier } }', { accessToken: again }))),
      ),
    ).toBe(1);
  });

  test('takes part over every transport, has no session to end, and may end those of everywhere', async () => {
    const accessToken = await provider.token({ sub: newSub(), name: 'Ada' });
    await using socket = await SocketClient.open(server.url, accessToken);
    expect(await socket.run('{ viewer { sessions { nodes { id } } } }')).toEqual({ data: { viewer: { sessions: { nodes: [] } } } });
    socket.subscribe('events', 'subscription { viewerEvents { __typename } }');
    expect(await socket.nextOf('events')).toMatchObject({ data: { viewerEvents: { __typename: 'CaughtUp' } } });
    const { body } = await post(server.url, 'mutation { signOut(input: {}) { user { id } } }', { accessToken });
    expect(body.errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' }, message: expect.stringContaining('sign out where it comes from') },
    ]);
    const everywhere = await post(server.url, 'mutation { signOut(input: { everywhere: true }) { user { id } } }', { accessToken });
    expect(everywhere.body.errors).toBeUndefined();
    expect(await me(accessToken)).toBeDefined();
  });

  test('loses the socket when the token expires, unless a fresh one of any kind is put in its place', async () => {
    const sub = newSub();
    // The leeway is 30 s.
    const brief = { sub, exp: nowS() - 25 };
    await using left = await SocketClient.open(server.url, await provider.token(brief));
    await using renewed = await SocketClient.open(server.url, await provider.token({ ...brief, jti: 'renewed' }));
    const RENEW =
      'mutation ($accessToken: String!) { authenticateSocket(input: { accessToken: $accessToken }) { viewer { user { id } } } }';
    expect((await renewed.run(RENEW, { accessToken: await provider.token({ sub: newSub() }) })).errors?.[0]?.extensions['code']).toBe(
      'FORBIDDEN',
    );
    expect((await renewed.run(RENEW, { accessToken: await provider.token({ sub, jti: 'fresh' }) })).errors).toBeUndefined();
    expect(await left.closeCode(20_000)).toBe(4403);
    expect((await renewed.run(WHO)).errors).toBeUndefined();
  });

  test('may have a number, or a claim of another name, for an id', async () => {
    const names = {
      jwtClaimId: 'https://example.com/uid',
      jwtClaimName: 'nick',
      jwtClaimHandle: 'login',
      jwtClaimTier: 'plan',
      jwtClaimRole: 'groups',
      jwtClaimPicture: 'photo',
    };
    await using named = await startTestServer({ config: { ...trusting(provider), ...names } });
    const claims = {
      sub: 'not this',
      'https://example.com/uid': 42,
      nick: 'Ada',
      login: 'ada@example.com',
      plan: 'Enterprise',
      groups: ['staff', 'Admin'],
      photo: 'https://x.example/',
    };
    const found = await me(await provider.token(claims), named.url);
    expect(found).toMatchObject({
      tier: 'ENTERPRISE',
      role: 'ADMIN',
      user: { handle: 'ada', displayName: 'Ada', avatarUrl: 'https://x.example/' },
    });
    expect((await me(await provider.token({ ...claims, 'https://example.com/uid': '42', jti: 'text' }), named.url)).user.id).toBe(
      found.user.id,
    );
    expect((await refusal(await provider.token({ sub: 'only' }), named.url)).status).toBe(401);
  });
});

describe('beside tokens of a provider', () => {
  test('our own go on working, unless passwords are off', async () => {
    const [ada] = await server.people('ada');
    expect((await me(ada.accessToken)).user.id).toBe(ada.id);
    await using closed = await startTestServer({ config: { ...trusting(provider), arePasswordsEnabled: false } });
    for (const operation of [
      'mutation { signUp(input: { handle: "ada", displayName: "Ada", password: "correct horse battery" }) { accessToken } }',
      'mutation { signIn(input: { handle: "ada", password: "correct horse battery" }) { accessToken } }',
    ]) {
      expect((await closed.anonymous(operation)).errors).toMatchObject([
        { extensions: { code: 'FORBIDDEN' }, message: 'Passwords are switched off here: sign in where your access token comes from.' },
      ]);
    }
    expect(await me(await provider.token({ sub: newSub() }), closed.url)).toBeDefined();
  });
});

describe('a token that was forged', () => {
  const NOT_VALID = {
    status: 401,
    code: 'UNAUTHENTICATED',
    message: 'The access token is not valid here: get one for this server where you signed in.',
  };
  const EXPIRED = { status: 401, code: 'UNAUTHENTICATED', message: 'The access token has expired: get a new one where you signed in.' };
  const claims = () => ({ sub: newSub() });

  /** Written by hand, as no library signs what is wrong on purpose. */
  const byHand = (header: object, payload: object, sign: (text: string) => string) => {
    const full = { iss: ISSUER, aud: AUDIENCE, iat: nowS(), exp: nowS() + 600, ...payload };
    const text = [header, full].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${sign(text)}`;
  };
  const hs256 = (key: string | Buffer) => (text: string) => createHmac('sha256', key).update(text).digest('base64url');
  const publicKeyForms = () => {
    const [key] = provider.published;
    return [JSON.stringify(key?.publicJwk), String(key?.publicJwk.x), Buffer.from(String(key?.publicJwk.x), 'base64url')];
  };

  test.each<readonly [string, () => string | Promise<string>]>([
    ['with alg none', () => byHand({ alg: 'none', kid: 'first' }, claims(), () => 'AA')],
    ['with alg NoNe and something for a signature', () => byHand({ alg: 'NoNe', kid: 'first' }, claims(), () => 'AA')],
    [
      'by HMAC with the public key as it is published',
      () => byHand({ alg: 'HS256', kid: 'first' }, claims(), hs256(publicKeyForms()[0] ?? '')),
    ],
    ['by HMAC with the text of the public key', () => byHand({ alg: 'HS256', kid: 'first' }, claims(), hs256(publicKeyForms()[1] ?? ''))],
    ['by HMAC with the bytes of the public key', () => byHand({ alg: 'HS256', kid: 'first' }, claims(), hs256(publicKeyForms()[2] ?? ''))],
    ['by HMAC under the name of EdDSA', () => byHand({ alg: 'EdDSA', kid: 'first' }, claims(), hs256(publicKeyForms()[2] ?? ''))],
    ['by a key that is not published', async () => provider.token(claims(), {}, await newKey('first', 'EdDSA'))],
    ['by an unknown key', async () => provider.token(claims(), {}, await newKey('unknown', 'EdDSA'))],
    ['by a key of a kind that is not among ours', async () => provider.token(claims(), { kid: 'first' }, await newKey('first', 'ES512'))],
    [
      'by a key it brings along',
      async () => {
        const key = await newKey('own', 'EdDSA');
        return provider.token(claims(), { jwk: key.publicJwk, kid: undefined }, key);
      },
    ],
    [
      'by a key at an address it brings along',
      async () => provider.token(claims(), { jku: 'http://127.0.0.1:1/jwks', x5u: 'http://127.0.0.1:1/' }, await newKey('own', 'EdDSA')),
    ],
    ...['../../../../dev/null', '/etc/passwd', "first' OR '1'='1", '__proto__', 'http://127.0.0.1/', ''].map(
      (kid) =>
        [`by a key named ${JSON.stringify(kid)}`, async () => provider.token(claims(), { kid }, await newKey(kid, 'EdDSA'))] as const,
    ),
    ['of another issuer', () => provider.token({ ...claims(), iss: 'https://evil.example/' })],
    ['of almost the issuer', () => provider.token({ ...claims(), iss: ISSUER.slice(0, -1) })],
    ['without an issuer', () => provider.token({ ...claims(), iss: undefined })],
    ['for another audience', () => provider.token({ ...claims(), aud: ['billing', 'chatter'] })],
    ['without an audience', () => provider.token({ ...claims(), aud: undefined })],
    ['without an expiry', () => provider.token({ ...claims(), exp: undefined })],
    ['with an expiry that is no number', () => provider.token({ ...claims(), exp: 'never' })],
    ['from the future', () => provider.token({ ...claims(), nbf: nowS() + 90 })],
    ['of nobody', () => provider.token({})],
    ['of an id that is no text', () => provider.token({ sub: { $ne: '' } })],
    ['of an empty id', () => provider.token({ sub: '' })],
    ['of an id of 256 characters', () => provider.token({ sub: 's'.repeat(256) })],
    ['of an id with NUL', () => provider.token({ sub: 'a\u0000' })],
    ['of an id with half a character', () => provider.token({ sub: '\ud800' })],
    ['of a type that is no text', () => provider.token(claims(), { typ: 7 })],
    ['that is a logout token', () => provider.token(claims(), { typ: 'logout+jwt' })],
    [
      'with a critical header that nobody knows',
      () => byHand({ alg: 'EdDSA', kid: 'first', crit: ['x'], x: 1 }, claims(), () => 'A'.repeat(86)),
    ],
    [
      'with another user written in',
      async () => {
        const [head, , signature] = (await provider.token(claims())).split('.');
        const body = Buffer.from(JSON.stringify({ iss: ISSUER, aud: AUDIENCE, exp: nowS() + 600, sub: 'somebody else' })).toString(
          'base64url',
        );
        return [head, body, signature].join('.');
      },
    ],
    ['that is cut', async () => (await provider.token(claims())).slice(0, -6)],
  ])('%s is refused', async (_, forge) => {
    expect(await refusal(await forge())).toEqual(NOT_VALID);
  });

  test('or has expired, beyond what clocks may differ, is refused over every transport', async () => {
    const expired = await provider.token({ ...claims(), exp: nowS() - 31 });
    expect(await refusal(expired)).toEqual(EXPIRED);
    await using socket = await SocketClient.connect(server.url);
    socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${expired}` } });
    expect(await socket.closeCode()).toBe(4403);
    expect(await me(await provider.token({ ...claims(), exp: nowS() - 5 }))).toBeDefined();
    expect(await me(await provider.token({ ...claims(), nbf: nowS() + 20 }))).toBeDefined();
  });

  test('without a signature is not even of the form of one', async () => {
    const token = byHand({ alg: 'none' }, claims(), () => '');
    expect(await refusal(token)).toMatchObject({ status: 401, message: expect.stringContaining('Authorization must be') });
  });

  test('in the name of this server is checked by its own key alone', async () => {
    expect(await refusal(await provider.token({ ...claims(), iss: 'rookery', aud: 'rookery', sid: 'x' }, { typ: 'at+jwt' }))).toMatchObject(
      {
        status: 401,
        message: 'The access token is not valid: sign in, or refresh the session.',
      },
    );
  });

  test('or brings a great many unknown keys makes us ask for keys once, not each time', async () => {
    await using quiet = await IdentityProvider.start();
    await using other = await startTestServer({ config: trusting(quiet) });
    await me(await quiet.token({ sub: newSub() }), other.url);
    for (let index = 0; index < 20; index += 1) {
      const stranger = await newKey(`stranger-${index}`, 'EdDSA');
      expect((await refusal(await quiet.token({ sub: newSub() }, {}, stranger), other.url)).status).toBe(401);
    }
    expect(quiet.asked).toBe(1);
  });
});

describe('keys', () => {
  test.each(['EdDSA', 'ES256', 'ES384', 'RS256', 'PS256'])('of a key set sign by %s', async (alg) => {
    await using each = await IdentityProvider.start();
    each.published = [await newKey('other', alg === 'RS256' ? 'ES256' : 'RS256'), await newKey(alg, alg)];
    await using trusted = await startTestServer({ config: trusting(each) });
    expect(await me(await each.token({ sub: 'a' }, {}, each.published[1]), trusted.url)).toBeDefined();
  });

  test.each(['EdDSA', 'ES256', 'ES384', 'RS256', 'PS256'])(
    'given alone sign by %s, as PEM and as JWK, and by no other algorithm',
    async (alg) => {
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
      const pem = await exportSPKI(publicKey);
      const common = { jwtIssuer: ISSUER, jwtAudience: AUDIENCE };
      for (const jwtPublicKey of [pem, pem.replaceAll('\n', '\\n'), JSON.stringify(await exportJWK(publicKey))]) {
        await using trusted = await startTestServer({ database: server.database, config: { ...common, jwtPublicKey } });
        expect(await me(await signed({ sub: newSub() }, { alg }, privateKey), trusted.url)).toBeDefined();
        for (const key of [pem, jwtPublicKey]) {
          expect((await refusal(await signed({ sub: newSub() }, { alg: 'HS256' }, Buffer.from(key)), trusted.url)).status).toBe(401);
        }
        const stranger = await generateKeyPair(alg, { extractable: true });
        expect((await refusal(await signed({ sub: newSub() }, { alg }, stranger.privateKey), trusted.url)).status).toBe(401);
      }
    },
  );

  test.each(['HS256', 'HS384', 'HS512'])('shared as a secret sign by %s, and by no public key', async (alg) => {
    const jwtHmacSecret = 'a secret that the backend has too, and nobody else';
    await using trusted = await startTestServer({
      database: server.database,
      config: { jwtHmacSecret, jwtIssuer: ISSUER, jwtAudience: AUDIENCE },
    });
    expect(await me(await signed({ sub: newSub() }, { alg }, Buffer.from(jwtHmacSecret)), trusted.url)).toBeDefined();
    expect((await refusal(await signed({ sub: newSub() }, { alg }, Buffer.from(`${jwtHmacSecret}.`)), trusted.url)).status).toBe(401);
    expect((await refusal(await provider.token({ sub: newSub() }), trusted.url)).status).toBe(401);
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    expect((await refusal(await signed({ sub: newSub() }, { alg: 'RS256' }, rsa.privateKey), trusted.url)).status).toBe(401);
  });

  test.each<readonly [string, IdentityProvider['answer']]>([
    ['a redirect', { status: 302, headers: { Location: 'http://127.0.0.1:1/' } }],
    ['an error', { status: 500, body: 'no' }],
    ['no JSON', { status: 200, body: '<html>' }],
    ['no keys', { status: 200, body: '{}' }],
    ['half a megabyte', { status: 200, body: JSON.stringify({ keys: [], filler: 'x'.repeat(512 * 1024) }) }],
  ])('that cannot be had, as %s comes instead, are OVERLOADED, never a 500, and asked for again', async (_, answer) => {
    await using broken = await IdentityProvider.start();
    broken.answer = answer;
    await using trusted = await startTestServer({ config: trusting(broken) });
    const token = await broken.token({ sub: newSub() });
    expect(await refusal(token, trusted.url)).toMatchObject({
      status: 503,
      code: 'OVERLOADED',
      message: expect.stringContaining('identity provider'),
    });
    await using socket = await SocketClient.connect(trusted.url);
    socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    expect(await socket.closeCode()).toBe(1013);
    broken.answer = null;
    expect(await me(token, trusted.url)).toBeDefined();
  });
});
