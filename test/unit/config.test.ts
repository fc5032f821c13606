import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';

const SECRET = 'a-secret-of-at-least-32-characters';
const PRODUCTION = { NODE_ENV: 'production', SECRET };

function problems(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) expect(error.message).toContain(problem);
    return error.problems;
  }
}

describe('settings', () => {
  test('have defaults that are right for a laptop', () => {
    expect(readConfig({})).toMatchObject({
      mode: 'development',
      host: '127.0.0.1',
      port: 4_000,
      dataDirectory: '.rookery',
      databaseUrl: null,
      secret: null,
      accessTokenTtlMs: 15 * 60_000,
      refreshTokenTtlMs: 30 * 86_400_000,
      allowedOrigins: [],
      isGraphiQLEnabled: true,
      isIntrospectionEnabled: true,
      isChatPageEnabled: true,
      limitsMode: 'enforce',
      metricsToken: null,
      metricsPort: null,
    });
  });

  test('that are empty count as not given, and names that are not ours are ignored', () => {
    expect(readConfig({ PORT: '', SECRET: '', NODE_ENV: '', ROOKERY_PORT: 'x', PORTS: '1' })).toEqual(readConfig({}));
  });

  test('are read from the environment', () => {
    const origins = 'https://chat.example.com, http://localhost:3000';
    expect(readConfig({ PORT: '0', ALLOWED_ORIGINS: origins, LOG_LEVEL: 'warn', GRAPHIQL: 'off', METRICS_PORT: '9100' })).toMatchObject({
      port: 0,
      allowedOrigins: ['https://chat.example.com', 'http://localhost:3000'],
      logLevel: 'warn',
      isGraphiQLEnabled: false,
      metricsPort: 9_100,
    });
  });

  test('that are wrong are all reported at once, with what was expected and what came', () => {
    const found = problems({ PORT: '70000', LOG_LEVEL: 'loud', STATEMENT_TIMEOUT_MS: '5s', GRAPHIQL: 'yes', NODE_ENV: 'prod' });
    expect(found).toHaveLength(5);
    expect(found).toContain('PORT must be a whole number from 0 to 65535, got "70000".');
    expect(found).toContain('STATEMENT_TIMEOUT_MS must be a whole number from 100 to 600000, got "5s".');
    expect(found).toContain('GRAPHIQL must be one of on, off, allow-in-production, got "yes".');
    expect(found).toContain('NODE_ENV must be one of development, production, test, got "prod".');
  });

  test.each(['-1', '1.5', '1e3', ' 80', '0x50', '٤', 'NaN'])('take no number written as %j', (PORT) => {
    expect(problems({ PORT })).toHaveLength(1);
  });

  test.each(['https://a.example/', 'https://a.example/path', 'a.example', '*', 'null', 'HTTPS://A.example', 'https://a.example:443'])(
    'take no origin written as %j, which no browser would send',
    (ALLOWED_ORIGINS) => {
      expect(problems({ ALLOWED_ORIGINS })).toEqual([expect.stringContaining('ALLOWED_ORIGINS must be origins')]);
    },
  );

  test('never show a secret in a problem', () => {
    const found = problems({ SECRET: 'hunter2-secret', DATABASE_URL: 'mysql://u:hunter2-url@h/d', METRICS_TOKEN: 'hunter2-token' });
    expect(found).toHaveLength(3);
    expect(found.join('\n')).not.toContain('hunter2');
  });

  test('refuse one port for two servers', () => {
    expect(problems({ PORT: '4000', METRICS_PORT: '4000' })).toEqual(['METRICS_PORT must be another port than PORT, got 4000 for both.']);
    expect(problems({ PORT: '0', METRICS_PORT: '0' })).toEqual([]);
  });
});

describe('in production', () => {
  test('a secret is required, of at least 32 characters', () => {
    expect(problems({ NODE_ENV: 'production' })).toEqual([expect.stringMatching(/^SECRET is required in production/)]);
    expect(problems({ NODE_ENV: 'production', SECRET: 'x'.repeat(31) })).toEqual(['SECRET must have at least 32 characters, got 31.']);
    expect(problems(PRODUCTION)).toEqual([]);
    expect(problems({ ...PRODUCTION, HOST: '0.0.0.0' })).toEqual([]);
  });

  test.each([
    ['GRAPHIQL', 'isGraphiQLEnabled'],
    ['INTROSPECTION', 'isIntrospectionEnabled'],
    ['CHAT_PAGE', 'isChatPageEnabled'],
  ] as const)('%s is off, and only on for who says that they mean it', (name, key) => {
    expect(readConfig(PRODUCTION)[key]).toBe(false);
    expect(readConfig({ ...PRODUCTION, [name]: 'allow-in-production' })[key]).toBe(true);
    expect(problems({ ...PRODUCTION, [name]: 'on' })).toEqual([expect.stringContaining('allow-in-production')]);
  });
});

test('limits can be measured only, and switched off in development alone', () => {
  expect(readConfig({ ...PRODUCTION, LIMITS_MODE: 'measure' }).limitsMode).toBe('measure');
  expect(readConfig({ LIMITS_MODE: 'off' }).limitsMode).toBe('off');
  expect(problems({ ...PRODUCTION, LIMITS_MODE: 'off' })).toEqual([expect.stringMatching(/^LIMITS_MODE must not be off in production/)]);
  expect(problems({ LIMITS_MODE: 'none' })).toEqual(['LIMITS_MODE must be one of enforce, measure, off, got "none".']);
});

test('in development other machines are let in only with a secret that was chosen', () => {
  for (const HOST of ['0.0.0.0', '::', '192.168.1.7', 'chat.example.com']) {
    expect(problems({ HOST })).toEqual([expect.stringContaining('HOST is reachable from other machines')]);
    expect(problems({ HOST, SECRET })).toEqual([]);
  }
  for (const HOST of ['127.0.0.1', '127.0.0.2', '::1', 'localhost']) expect(problems({ HOST })).toEqual([]);
});

describe('an identity provider', () => {
  const pem = (type: 'rsa' | 'ed25519' | 'ed448', modulusLength = 2_048) =>
    // Each type takes the options of all.
    generateKeyPairSync(type as 'rsa', {
      modulusLength,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
  const checked = { JWT_ISSUER: 'https://id.example/', JWT_AUDIENCE: 'chat' };
  const JWKS_URL = 'https://id.example/jwks.json';
  const JWT_HMAC_SECRET = 'h'.repeat(32);

  test('is named by one key, whose issuer and audience are required in production', () => {
    expect(problems({ ...PRODUCTION, ...checked, JWKS_URL })).toEqual([]);
    expect(problems({ JWKS_URL })).toEqual([]);
    expect(problems({ ...PRODUCTION, JWKS_URL })).toEqual([
      expect.stringMatching(/^JWT_ISSUER is required in production with JWKS_URL: /),
      expect.stringMatching(/^JWT_AUDIENCE is required in production with JWKS_URL: /),
    ]);
    expect(problems({ JWKS_URL, JWT_HMAC_SECRET })).toEqual([
      'JWKS_URL, JWT_HMAC_SECRET must not be set together: one says whose tokens are believed.',
    ]);
    expect(problems(checked)).toEqual([
      expect.stringMatching(/^JWT_ISSUER must come with/),
      expect.stringMatching(/^JWT_AUDIENCE must come with/),
    ]);
    expect(problems({ JWKS_URL, JWT_ISSUER: 'rookery' })).toEqual([expect.stringMatching(/^JWT_ISSUER must not be "rookery"/)]);
  });

  test('publishes its keys over https, save in development and on this machine', () => {
    const plain = 'http://id.example/jwks.json';
    expect(problems({ JWKS_URL: plain })).toEqual([]);
    expect(problems({ ...PRODUCTION, ...checked, JWKS_URL: plain })).toEqual([
      expect.stringMatching(/^JWKS_URL must begin with https:\/\/ in production/),
    ]);
    for (const host of ['localhost', '127.0.0.1:8080', '[::1]']) {
      expect(problems({ ...PRODUCTION, ...checked, JWKS_URL: `http://${host}/jwks.json` })).toEqual([]);
    }
    for (const wrong of ['id.example', 'ftp://id.example/', 'file:///etc/passwd']) {
      expect(problems({ JWKS_URL: wrong })).toEqual(['JWKS_URL must begin with https://, got something else.']);
    }
    expect(problems({ JWKS_URL: 'https://user:hunter2@id.example/' })).toEqual([expect.stringMatching(/must not hold a user or password/)]);
  });

  test('has a public key of a kind and size that is safe', () => {
    expect(problems({ JWT_PUBLIC_KEY: pem('ed25519').publicKey })).toEqual([]);
    expect(problems({ JWT_PUBLIC_KEY: pem('rsa').publicKey.replaceAll('\n', '\\n') })).toEqual([]);
    expect(problems({ JWT_PUBLIC_KEY: pem('rsa', 1_024).publicKey })).toEqual([
      'JWT_PUBLIC_KEY must have at least 2048 bits when it is an RSA key, got 1024.',
    ]);
    expect(problems({ JWT_PUBLIC_KEY: pem('ed448').publicKey })).toEqual(['JWT_PUBLIC_KEY must be an Ed25519, EC or RSA key, got ed448.']);
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' });
    expect(problems({ JWT_PUBLIC_KEY: JSON.stringify(publicKey.export({ format: 'jwk' })) })).toEqual([
      expect.stringMatching(/curve P-256 or P-384/),
    ]);
    for (const mistaken of [pem('ed25519').privateKey, JSON.stringify(privateKey.export({ format: 'jwk' }))]) {
      expect(problems({ JWT_PUBLIC_KEY: mistaken })).toEqual(['JWT_PUBLIC_KEY must be the public half of the key, got the private one.']);
    }
    for (const wrong of ['hunter2', '{', '{}', '[]', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----']) {
      const found = problems({ JWT_PUBLIC_KEY: wrong });
      expect(found).toEqual([expect.stringMatching(/^JWT_PUBLIC_KEY must be a public key as PEM/)]);
      expect(found[0]).not.toContain('hunter2');
    }
  });

  test('takes the place of passwords in production, unless both are wanted', () => {
    expect(readConfig({}).arePasswordsEnabled).toBe(true);
    expect(readConfig(PRODUCTION).arePasswordsEnabled).toBe(true);
    expect(readConfig({ JWKS_URL }).arePasswordsEnabled).toBe(true);
    expect(readConfig({ ...PRODUCTION, ...checked, JWT_HMAC_SECRET }).arePasswordsEnabled).toBe(false);
    expect(readConfig({ ...PRODUCTION, ...checked, JWT_HMAC_SECRET, PASSWORDS: 'on' }).arePasswordsEnabled).toBe(true);
    expect(problems({ PASSWORDS: 'off' })).toEqual([expect.stringMatching(/^PASSWORDS must not be off without/)]);
    expect(problems({ PASSWORDS: 'off', SERVICE_TOKEN: 's'.repeat(32) })).toEqual([]);
  });
});

test('a service token is long, of one word, and no other secret', () => {
  expect(problems({ SERVICE_TOKEN: 's'.repeat(31) })).toEqual(['SERVICE_TOKEN must have at least 32 characters, got 31.']);
  expect(problems({ SERVICE_TOKEN: `${'s'.repeat(32)} t` })).toEqual([expect.stringMatching(/printable ASCII characters without spaces/)]);
  expect(problems({ SERVICE_TOKEN: 's'.repeat(513) })).toEqual([expect.stringMatching(/at most 512/)]);
  expect(problems({ SERVICE_TOKEN: SECRET, SECRET })).toEqual([
    'SERVICE_TOKEN must not be the same as SECRET: who holds one would hold both.',
  ]);
});

test.each([
  ['SECRET', 'METRICS_TOKEN'],
  ['SECRET', 'JWT_HMAC_SECRET'],
  ['METRICS_TOKEN', 'JWT_HMAC_SECRET'],
  ['SERVICE_TOKEN', 'METRICS_TOKEN'],
])('%s and %s are two secrets', (one, other) => {
  expect(problems({ [one]: SECRET, [other]: SECRET })).toContain(`${one} must not be the same as ${other}: who holds one would hold both.`);
  expect(problems({ [one]: SECRET, [other]: `${SECRET}x` })).toEqual([]);
});
