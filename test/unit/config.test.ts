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
