import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { createIdentityService, type IdentityService, type Session } from '../src/identity/identity.ts';
import { newUuid } from '../src/platform/id.ts';
import { connectPostgres, type Database } from '../src/platform/postgres.ts';
import { deriveSecrets } from '../src/platform/secrets.ts';
import { createTestDatabase, type TestDatabase } from './kit/database.ts';

const PASSWORD = 'correct horse battery';
const ACCESS_TTL_MS = 900_000;
const REFRESH_TTL_MS = 86_400_000;

/** Far from the real time: whatever reads another clock is noticed. */
class TestClock {
  at = Date.UTC(2035, 0, 1);
  readonly now = () => this.at;
  readonly monotonic = () => this.at - Date.UTC(2034, 0, 1);
}

let database: TestDatabase;
let connection: Database;
const statements: string[] = [];
let people = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = connectPostgres({
    address: database.address,
    connectionsMax: 8,
    queueMax: 1_000,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    onStatement: ({ text }) => statements.push(text),
  });
});

afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** As one process has it. Several on one database are several nodes. */
function node(clock = new TestClock()): { readonly identity: IdentityService; readonly clock: TestClock } {
  const config = { ...readConfig({}), accessTokenTtlMs: ACCESS_TTL_MS, refreshTokenTtlMs: REFRESH_TTL_MS, passwordHashesMax: 2 };
  return {
    clock,
    identity: createIdentityService({ sql: connection.sql, secrets: deriveSecrets('the same on all nodes'), clock, config }),
  };
}

function newHandle(): string {
  people += 1;
  return `person_${people}`;
}

function signUp(identity: IdentityService, handle = newHandle()): Promise<Session> {
  return identity.signUp({ handle, displayName: 'Ada Lovelace', password: PASSWORD });
}

function whoIs(identity: IdentityService, { accessToken }: Session) {
  return identity.authenticate(`Bearer ${accessToken}`);
}

const SIGNED_OUT = { code: 'UNAUTHENTICATED', message: 'The session has ended: sign in again.' };
const REUSED = { code: 'UNAUTHENTICATED', message: 'The refresh token was used before, so its session was ended: sign in again.' };
const UNKNOWN = { code: 'UNAUTHENTICATED', message: 'The refresh token is not valid, or its session has ended: sign in again.' };
const WRONG = { code: 'UNAUTHENTICATED', message: 'Handle or password is wrong.', details: {} };

describe('sign-up', () => {
  test('makes a user who is signed in and can be found', async () => {
    const { identity, clock } = node();
    const handle = newHandle();
    const session = await identity.signUp({ handle: handle.toUpperCase(), displayName: '  Zoe\u0308 ', password: PASSWORD });
    const { user } = session;
    expect(user).toEqual({
      key: expect.any(Number),
      uuid: expect.any(String),
      handle,
      displayName: 'Zo\u00eb',
      avatarUrl: null,
      createdAt: new Date(clock.at),
    });
    expect(session.expiresAt).toEqual(new Date(clock.at + ACCESS_TTL_MS));
    expect(session.refreshToken).toMatch(/^rkr_[\w-]{43}$/);
    expect(await whoIs(identity, session)).toEqual({
      userKey: user.key,
      userUuid: user.uuid,
      tier: 'FREE',
      role: 'USER',
      sessionUuid: expect.any(String),
      expiresAtMs: clock.at + ACCESS_TTL_MS,
    });
    expect(await identity.userByHandle(handle.toUpperCase())).toEqual(user);
    expect(await identity.userByUuid(user.uuid)).toEqual(user);
    expect(await identity.usersByKey([user.key, 999_999_999])).toEqual(new Map([[user.key, user]]));
    expect(await identity.userKeysByUuid([user.uuid, newUuid()])).toEqual(new Map([[user.uuid, user.key]]));
  });

  test('with a taken handle is CONFLICT, in whatever case it is written', async () => {
    const { identity } = node();
    const { user } = await signUp(identity);
    await expect(signUp(identity, user.handle.toUpperCase())).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `The handle "${user.handle}" is taken: choose another.`,
    });
  });

  test('of twenty at the same moment with one handle gives it to one', async () => {
    const { identity } = node();
    const handle = newHandle();
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => signUp(identity, handle)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'CONFLICT' });
  });

  test.each([
    [
      'handle',
      'ab',
      'Handle must be 3 to 32 characters of a-z, 0-9, "_", "." and "-", the first a letter or digit, got "ab" (2 characters).',
    ],
    ['handle', '_abc', '(4 characters).'],
    ['handle', 'All', 'stands for everybody.'],
    ['handle', 'a'.repeat(33), '(33 characters).'],
    ['handle', 'a'.repeat(5_000), '"… (5000 characters).'],
    ['handle', 'abc\n', 'got "abc\\u{A}" (4 characters).'],
    ['handle', 'ab\u0000c', '\\u{0}'],
    ['handle', 'ab\ud800c', '\\u{D800}'],
    // The Kelvin sign: its lower case is an ASCII letter.
    ['handle', '\u212aelvin', 'got "\u212aelvin" (6 characters).'],
    ['displayName', '', 'Display name must be 1 to 80 characters, got 0.'],
    ['displayName', 'x'.repeat(81), 'Display name must be 1 to 80 characters, got 81.'],
    ['displayName', 'admin\u202e', 'U+202E'],
    ['password', 'x'.repeat(9), 'Password must be 10 to 128 characters, got 9.'],
    ['password', '🦜'.repeat(129), 'Password must be 10 to 128 characters, got 129.'],
    ['password', 'long enough \u0000', 'U+0000'],
  ])('refuses as %s %j, and says why', async (field, value, message) => {
    const { identity } = node();
    const input = { handle: newHandle(), displayName: 'Ada', password: PASSWORD, [field]: value };
    const error = await identity.signUp(input).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'BAD_USER_INPUT',
      details: { field: `input.${field}` },
      message: expect.stringContaining(message),
    });
  });

  test('keeps neither the password nor a refresh token', async () => {
    const { identity } = node();
    const { user, refreshToken } = await signUp(identity);
    const [row] = await connection.sql<{ hash: string; everything: string }>`
      SELECT u.password_hash AS hash, (SELECT string_agg(to_jsonb(t)::text, '') FROM refresh_tokens t) || to_jsonb(u)::text AS everything
        FROM users u WHERE u.id = ${user.key}::bigint`;
    expect(row?.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(row?.everything).not.toContain(PASSWORD);
    expect(row?.everything).not.toContain(refreshToken);
  });
});

describe('sign-in', () => {
  test('begins another session, by handle in any case', async () => {
    const { identity } = node();
    const first = await signUp(identity);
    const second = await identity.signIn({ handle: first.user.handle.toUpperCase(), password: PASSWORD });
    expect(second.user).toEqual(first.user);
    expect((await whoIs(identity, second)).sessionUuid).not.toBe((await whoIs(identity, first)).sessionUuid);
  });

  test('takes the password however its accents were typed', async () => {
    const { identity } = node();
    const handle = newHandle();
    await identity.signUp({ handle, displayName: 'Zoë', password: 'Zo\u00eb is a pirate' });
    await expect(identity.signIn({ handle, password: 'Zoe\u0308 is a pirate' })).resolves.toBeDefined();
  });

  test('is refused alike for a wrong password, a handle nobody has, and one nobody can have', async () => {
    const { identity } = node();
    const { user } = await signUp(identity);
    await connection.sql`UPDATE users SET password_hash = NULL WHERE id = ${(await signUp(identity, 'no_password')).user.key}::bigint`;
    for (const input of [
      { handle: user.handle, password: `${PASSWORD}.` },
      { handle: user.handle, password: '' },
      { handle: user.handle, password: 'x'.repeat(1_000_000) },
      { handle: user.handle, password: '\u0000\ud800' },
      { handle: 'nobody', password: PASSWORD },
      { handle: 'no_password', password: PASSWORD },
      { handle: '', password: PASSWORD },
      { handle: '\u0000\ud800', password: PASSWORD },
    ]) {
      await expect(identity.signIn(input), input.handle).rejects.toMatchObject(WRONG);
    }
  });

  test('takes as long for a handle nobody has as for a wrong password', async () => {
    const { identity } = node();
    const { user } = await signUp(identity);
    const fastest = async (handle: string) => {
      const times: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        const start = performance.now();
        await identity.signIn({ handle, password: 'wrong password' }).catch(() => undefined);
        times.push(performance.now() - start);
      }
      return Math.min(...times);
    };
    // Without the hash for nobody it would be a tenth of that, or less.
    expect(await fastest('nobody')).toBeGreaterThan((await fastest(user.handle)) / 2);
  });

  test('is OVERLOADED when too many passwords are waiting', async () => {
    const { identity } = node();
    const attempts = Array.from({ length: 110 }, () => identity.signIn({ handle: '-', password: PASSWORD }));
    const results = await Promise.allSettled(attempts);
    const codes = results.map((result) => (result.status === 'rejected' ? result.reason.code : 'signed in'));
    expect(codes.filter((code) => code === 'OVERLOADED')).toHaveLength(8);
    expect(codes.filter((code) => code === 'UNAUTHENTICATED')).toHaveLength(102);
    await expect(identity.signIn({ handle: '-', password: PASSWORD })).rejects.toMatchObject(WRONG);
  });
});

describe('refresh', () => {
  test('goes on with the same session, by tokens that work', async () => {
    const { identity, clock } = node();
    const first = await signUp(identity);
    const before = await whoIs(identity, first);
    clock.at += ACCESS_TTL_MS;
    const second = await identity.refreshSession(first.refreshToken);
    expect(second.user).toEqual(first.user);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    const after = await whoIs(identity, second);
    expect(after).toEqual({ ...before, expiresAtMs: clock.at + ACCESS_TTL_MS });
    await expect(identity.refreshSession(second.refreshToken)).resolves.toBeDefined();
  });

  test('with a spent token ends the session, the access tokens included', async () => {
    const { identity } = node();
    const first = await signUp(identity);
    const second = await identity.refreshSession(first.refreshToken);
    const other = await identity.signIn({ handle: first.user.handle, password: PASSWORD });
    await whoIs(identity, second);
    await expect(identity.refreshSession(first.refreshToken)).rejects.toMatchObject(REUSED);
    await expect(identity.refreshSession(second.refreshToken)).rejects.toMatchObject(UNKNOWN);
    await expect(whoIs(identity, first)).rejects.toMatchObject(SIGNED_OUT);
    await expect(whoIs(identity, second)).rejects.toMatchObject(SIGNED_OUT);
    await expect(whoIs(identity, other)).resolves.toBeDefined();
  });

  test('of twenty at the same moment with one token is done once, and the session is ended', async () => {
    const nodes = [node(), node()];
    const { refreshToken } = await signUp(node().identity);
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => nodes.map(({ identity }) => identity.refreshSession(refreshToken))).flat(),
    );
    const won = results.filter((result) => result.status === 'fulfilled').map((result) => result.value);
    expect(won).toHaveLength(1);
    expect(results.filter((result) => result.status === 'rejected' && result.reason.message === REUSED.message)).toHaveLength(1);
    for (const session of won) {
      await expect(node().identity.refreshSession(session.refreshToken)).rejects.toMatchObject(UNKNOWN);
      await expect(whoIs(node().identity, session)).rejects.toMatchObject(SIGNED_OUT);
    }
  });

  test('is refused when the token was not used in time, and the session is left alone', async () => {
    const { identity, clock } = node();
    const { refreshToken } = await signUp(identity);
    clock.at += REFRESH_TTL_MS;
    await expect(identity.refreshSession(refreshToken)).rejects.toMatchObject({ message: 'The refresh token has expired: sign in again.' });
    clock.at -= 1;
    await expect(identity.refreshSession(refreshToken)).resolves.toBeDefined();
  });

  test('by the same call, whose answer was lost, is no reuse', async () => {
    const { identity, clock } = node();
    const { refreshToken } = await signUp(identity);
    const [at, expiresAt] = [new Date(clock.at).toISOString(), new Date(clock.at + 1_000).toISOString()];
    const next = 'ab'.repeat(32);
    for (let time = 0; time < 2; time += 1) {
      const rows = await connection.sql<{ status: string }>`
        SELECT r.status FROM refresh_session(sha256(convert_to(${refreshToken}::text, 'UTF8')), decode(${next}::text, 'hex'), ${at}::timestamptz, ${expiresAt}::timestamptz) r`;
      expect(rows).toEqual([{ status: 'REFRESHED' }]);
    }
  });

  test.each(['', 'rkr_', `rkr_${'A'.repeat(43)}`, `rkr_${'A'.repeat(44)}`, '\u0000', '\ud800', 'x'.repeat(100_000)])(
    'refuses %j',
    async (token) => {
      await expect(node().identity.refreshSession(token)).rejects.toMatchObject(UNKNOWN);
    },
  );
});

describe('sign-out', () => {
  test('ends the session at once, and no other', async () => {
    const { identity } = node();
    const [first, stranger] = [await signUp(identity), await signUp(identity)];
    const second = await identity.signIn({ handle: first.user.handle, password: PASSWORD });
    const viewer = await whoIs(identity, first);
    expect(await identity.signOut(viewer, false)).toEqual({ sessionUuids: [viewer.sessionUuid] });
    await expect(whoIs(identity, first)).rejects.toMatchObject(SIGNED_OUT);
    await expect(identity.refreshSession(first.refreshToken)).rejects.toMatchObject(UNKNOWN);
    await expect(whoIs(identity, second)).resolves.toBeDefined();
    await expect(whoIs(identity, stranger)).resolves.toBeDefined();
    expect(await identity.signOut(viewer, false)).toEqual({ sessionUuids: [viewer.sessionUuid] });
  });

  test('everywhere ends all sessions of the viewer and nobody else’s', async () => {
    const { identity } = node();
    const [first, stranger] = [await signUp(identity), await signUp(identity)];
    const sessions = [
      first,
      await identity.signIn({ handle: first.user.handle, password: PASSWORD }),
      await identity.refreshSession(first.refreshToken),
    ];
    const viewers = await Promise.all(sessions.map((session) => whoIs(identity, session)));
    const [viewer] = viewers;
    if (viewer === undefined) throw new Error('There must be a viewer.');
    const { sessionUuids } = await identity.signOut(viewer, true);
    expect(new Set(sessionUuids)).toEqual(new Set(viewers.map(({ sessionUuid }) => sessionUuid)));
    for (const session of sessions) await expect(whoIs(identity, session)).rejects.toMatchObject(SIGNED_OUT);
    await expect(whoIs(identity, stranger)).resolves.toBeDefined();
    await expect(identity.signIn({ handle: first.user.handle, password: PASSWORD })).resolves.toBeDefined();
  });

  test('from anywhere by many at once ends everything and waits for nobody for ever', async () => {
    const { identity } = node();
    const first = await signUp(identity);
    const sessions = await Promise.all(Array.from({ length: 6 }, () => identity.signIn({ handle: first.user.handle, password: PASSWORD })));
    const viewers = await Promise.all(sessions.map((session) => whoIs(identity, session)));
    await Promise.all(viewers.map((viewer, index) => identity.signOut(viewer, index % 2 === 0)));
    for (const session of [first, ...sessions]) await expect(whoIs(node().identity, session)).rejects.toMatchObject(SIGNED_OUT);
  });

  test('is final, also for a request that looked at the session just before', async () => {
    const { identity } = node();
    const session = await signUp(identity);
    const viewer = await whoIs(node().identity, session);
    const looking = whoIs(identity, session).catch(() => undefined);
    await identity.signOut(viewer, false);
    await looking;
    await expect(whoIs(identity, session)).rejects.toMatchObject(SIGNED_OUT);
  });
});

describe('authentication', () => {
  test('believes the database for less than a second of the clock', async () => {
    const [here, elsewhere] = [node(), node()];
    const session = await signUp(here.identity);
    await whoIs(here.identity, session);
    await elsewhere.identity.signOut(await whoIs(elsewhere.identity, session), false);
    here.clock.at += 999;
    await expect(whoIs(here.identity, session)).resolves.toBeDefined();
    here.clock.at += 1;
    await expect(whoIs(here.identity, session)).rejects.toMatchObject(SIGNED_OUT);
  });

  test('asks the database once a second for a token, however many requests carry it, and once for many tokens', async () => {
    const { identity, clock } = node();
    const sessions = [await signUp(identity), await signUp(identity), await signUp(identity)];
    const lookups = () => statements.filter((text) => text.includes('FROM active_users')).length;
    const start = lookups();
    await Promise.all(Array.from({ length: 20 }, () => sessions.map((session) => whoIs(identity, session))).flat());
    const afterFirst = lookups() - start;
    expect(afterFirst).toBeLessThanOrEqual(sessions.length);
    clock.at += 999;
    for (const session of sessions) await whoIs(identity, session);
    expect(lookups() - start).toBe(afterFirst);
    clock.at += 1;
    await Promise.all(Array.from({ length: 20 }, () => sessions.map((session) => whoIs(identity, session))).flat());
    expect(lookups() - start).toBe(afterFirst + 1);
  });

  test('notices expiry by the clock at once, also of a token it knows', async () => {
    const { identity, clock } = node();
    const session = await signUp(identity);
    clock.at += ACCESS_TTL_MS - 1;
    await expect(whoIs(identity, session)).resolves.toBeDefined();
    clock.at += 1;
    await expect(whoIs(identity, session)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'The access token has expired: refresh the session.',
    });
  });

  test('notices another tier within a second', async () => {
    const { identity, clock } = node();
    const session = await signUp(identity);
    expect((await whoIs(identity, session)).tier).toBe('FREE');
    await connection.sql`UPDATE users SET tier = 4 WHERE id = ${session.user.key}::bigint`;
    clock.at += 1_000;
    expect((await whoIs(identity, session)).tier).toBe('ENTERPRISE');
  });

  test('takes "Bearer" in any case, one space and a token, and nothing else', async () => {
    const { identity } = node();
    const { accessToken } = await signUp(identity);
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      await expect(identity.authenticate(`${scheme} ${accessToken}`)).resolves.toBeDefined();
    for (const authorization of [
      ...[
        '',
        'Bearer',
        'Bearer ',
        accessToken,
        `Bearer${accessToken}`,
        `Bearer  ${accessToken}`,
        `Bearer ${accessToken} `,
        ` Bearer ${accessToken}`,
      ],
      ...[`Basic ${accessToken}`, `Bearer ${accessToken}, Bearer ${accessToken}`, `Bearer ${accessToken}\n`, `Bearer ${accessToken}=`],
      ...[`Bearer a.b`, `Bearer ${'a'.repeat(100_000)}.b.c`, 'Bearer \u0000.\ud800.c'],
    ]) {
      const error: unknown = await identity.authenticate(authorization).catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: 'UNAUTHENTICATED',
        message: 'Authorization must be "Bearer", one space and an access token, got something else.',
      });
    }
  });

  test('refuses a token of another secret, and one whose session never was', async () => {
    const { identity, clock } = node();
    const session = await signUp(identity);
    const config = { ...readConfig({}), accessTokenTtlMs: ACCESS_TTL_MS, refreshTokenTtlMs: REFRESH_TTL_MS, passwordHashesMax: 1 };
    const stranger = createIdentityService({ sql: connection.sql, secrets: deriveSecrets('another secret'), clock, config });
    await expect(whoIs(stranger, session)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('is not valid'),
    });
    await connection.sql`DELETE FROM refresh_tokens WHERE session_id IN (SELECT s.id FROM sessions s WHERE s.user_id = ${session.user.key}::bigint)`;
    await connection.sql`DELETE FROM sessions WHERE user_id = ${session.user.key}::bigint`;
    await expect(whoIs(identity, session)).rejects.toMatchObject(SIGNED_OUT);
  });
});
