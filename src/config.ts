import { type IdentityConfig, identityProblems, identitySettings } from './config/identity-settings.ts';
import { type LimitConfig, type LimitsMode, limitSettings } from './config/limit-settings.ts';
import { atLeast, isLoopback, type Mode, oneOf, SECRET_LENGTH_MIN, type Setting, whole } from './config/setting.ts';
import { LOG_LEVELS, type LogLevel } from './platform/logger.ts';

export type { LimitsMode };

export type Config = IdentityConfig &
  LimitConfig & {
    readonly mode: Mode;
    readonly host: string;
    readonly port: number;
    readonly dataDirectory: string;
    readonly databaseUrl: string | null;
    readonly databaseConnectionsMax: number;
    readonly slowConnectionsMax: number;
    readonly redisUrl: string | null;
    readonly statementTimeoutMs: number;
    readonly slowStatementTimeoutMs: number;
    readonly lockTimeoutMs: number;
    readonly secret: string | null;
    readonly accessTokenTtlMs: number;
    readonly refreshTokenTtlMs: number;
    readonly passwordHashesMax: number;
    readonly allowedOrigins: readonly string[];
    readonly isGraphiQLEnabled: boolean;
    readonly isIntrospectionEnabled: boolean;
    readonly isChatPageEnabled: boolean;
    readonly metricsToken: string | null;
    readonly metricsPort: number | null;
    readonly logLevel: LogLevel;
    readonly stopTimeoutMs: number;
  };

/** Everything that is wrong with the settings, at once. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The settings must be mended before Rookery starts:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

const ALLOW = 'allow-in-production';

const SETTINGS: { readonly [Name in keyof Config]: Setting<Config[Name]> } = {
  mode: {
    name: 'NODE_ENV',
    description: 'With `production` every unsafe setting refuses to start, with the reason.',
    unit: '`development`, `production`; `test` is as `development`',
    fallback: 'development',
    // Strict: a misspelt "prod" must not start a server with everything open.
    read: (text) => (oneOf(['development', 'production', 'test'])(text) === 'production' ? 'production' : 'development'),
  },
  host: {
    name: 'HOST',
    description: 'The address to listen on.',
    unit: 'address',
    fallback: '127.0.0.1',
    read: (text) => text ?? '127.0.0.1',
  },
  port: { name: 'PORT', description: 'The port to listen on; 0 takes a free one.', unit: 'port', fallback: '4000', read: whole(0, 65_535) },
  dataDirectory: {
    name: 'DATA_DIR',
    description: 'Where the embedded database and, in development, the secret live.',
    unit: 'path',
    fallback: '.rookery',
    read: (text) => text ?? '.rookery',
  },
  databaseUrl: {
    name: 'DATABASE_URL',
    description: 'A PostgreSQL of version 15 or newer, instead of the embedded one.',
    unit: '`postgres://…`',
    fallback: null,
    read(text) {
      // The text may hold a password, so it is not quoted.
      if (text !== null && !/^postgres(ql)?:\/\//.test(text)) throw new Error('must begin with postgres://, got something else');
      return text;
    },
  },
  databaseConnectionsMax: {
    name: 'DATABASE_CONNECTIONS',
    description: 'Connections to the database at most, for statements that take milliseconds.',
    unit: 'count',
    fallback: '10',
    read: whole(2, 1_000),
  },
  slowConnectionsMax: {
    name: 'SLOW_DATABASE_CONNECTIONS',
    description: 'Connections besides, for statements that may take long, so that the others never wait behind them.',
    unit: 'count',
    fallback: '3',
    read: whole(1, 100),
  },
  redisUrl: {
    name: 'REDIS_URL',
    description:
      'A Redis of version 6.2 or newer, which several nodes share: it carries news and signals between them, and who is present on any of them. Without it a node hears of changes on the others from the database, about a second late, and of their signals not at all. It may be lost at any time.',
    unit: '`redis://…`, `rediss://…`',
    fallback: null,
    read(text) {
      // The text may hold a password, so it is not quoted.
      if (text !== null && !(/^rediss?:\/\//.test(text) && URL.canParse(text)))
        throw new Error('must be an address that begins with redis:// or rediss://, got something else');
      return text;
    },
  },
  statementTimeoutMs: {
    name: 'STATEMENT_TIMEOUT_MS',
    description: 'How long a statement may run; then its request is answered with TIMEOUT.',
    unit: 'ms',
    fallback: '5000',
    read: whole(100, 600_000),
  },
  slowStatementTimeoutMs: {
    name: 'SLOW_STATEMENT_TIMEOUT_MS',
    description:
      'The same for a statement that may take long, such as looking for messages without reactions where nearly all have some. It is broken off earlier when nobody waits for it any more.',
    unit: 'ms',
    fallback: '10000',
    read: whole(100, 600_000),
  },
  lockTimeoutMs: {
    name: 'LOCK_TIMEOUT_MS',
    description: 'How long a statement may wait for a lock; then its request is answered with OVERLOADED.',
    unit: 'ms',
    fallback: '2000',
    read: whole(50, 600_000),
  },
  secret: {
    name: 'SECRET',
    description: `What access tokens and cursors are signed with: at least ${SECRET_LENGTH_MIN} random characters, the same on all nodes. Required in production; in development one is made in DATA_DIR.`,
    unit: 'text',
    fallback: null,
    read(text, mode) {
      if (text === null && mode === 'production')
        throw new Error('is required in production: access tokens are signed with it. `openssl rand -hex 32` makes one');
      return atLeast(SECRET_LENGTH_MIN)(text);
    },
  },
  accessTokenTtlMs: {
    name: 'ACCESS_TOKEN_TTL_MS',
    description: 'How long an access token works.',
    unit: 'ms',
    fallback: '900000',
    read: whole(10_000, 86_400_000),
  },
  refreshTokenTtlMs: {
    name: 'REFRESH_TOKEN_TTL_MS',
    description: 'How long a refresh token works.',
    unit: 'ms',
    fallback: '2592000000',
    read: whole(60_000, 31_536_000_000),
  },
  passwordHashesMax: {
    name: 'PASSWORD_HASHES',
    description: 'Passwords hashed at once. Each takes a core and 19 MiB for some 20 ms.',
    unit: 'count',
    fallback: '2',
    read: whole(1, 64),
  },
  ...identitySettings,
  allowedOrigins: {
    name: 'ALLOWED_ORIGINS',
    description:
      'Origins of other pages whose scripts may call the API and open sockets, comma-separated, each exactly as browsers send it. Empty: none but our own.',
    unit: 'origins',
    fallback: '',
    read: origins,
  },
  isGraphiQLEnabled: developmentOnly('GRAPHIQL', 'GraphiQL for browsers at /graphql.', 'it invites everybody to try the API'),
  isIntrospectionEnabled: developmentOnly('INTROSPECTION', 'Answers `__schema` and `__type`.', 'it tells everybody the whole schema'),
  isChatPageEnabled: developmentOnly('CHAT_PAGE', 'The chat page at /.', 'it lets everybody sign up from a browser'),
  ...limitSettings,
  metricsToken: {
    name: 'METRICS_TOKEN',
    description: 'Who sends it as a bearer token may read /metrics.',
    unit: 'text',
    fallback: null,
    read(text) {
      if (text !== null && text.length < 16) throw new Error(`must have at least 16 characters, got ${text.length}`);
      return text;
    },
  },
  metricsPort: {
    name: 'METRICS_PORT',
    description: 'A port of 127.0.0.1 on which /metrics is served to everybody there, and nothing else.',
    unit: 'port',
    fallback: null,
    read: (text) => (text === null ? null : whole(0, 65_535)(text)),
  },
  logLevel: {
    name: 'LOG_LEVEL',
    description: 'The least important lines that are logged.',
    unit: LOG_LEVELS.map((level) => `\`${level}\``).join(', '),
    fallback: 'info',
    read: oneOf(LOG_LEVELS),
  },
  stopTimeoutMs: {
    name: 'STOP_TIMEOUT_MS',
    description: 'How long the server may take to stop: to answer what it has begun and to tell sockets to come back.',
    unit: 'ms',
    fallback: '10000',
    read: whole(0, 600_000),
  },
};

/** Throws ConfigError with all that is wrong. An empty value counts as not given. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const mode: Mode = environment['NODE_ENV'] === 'production' ? 'production' : 'development';

  function read<Name extends keyof Config>(name: Name): Config[Name] {
    const setting: Setting<Config[Name]> = SETTINGS[name];
    try {
      return setting.read(environment[setting.name] || setting.fallback, mode, environment);
    } catch (error) {
      problems.push(`${setting.name} ${error instanceof Error ? error.message : String(error)}.`);
      return setting.read(setting.fallback, 'development', {});
    }
  }

  const config: Config = {
    mode: read('mode'),
    host: read('host'),
    port: read('port'),
    dataDirectory: read('dataDirectory'),
    databaseUrl: read('databaseUrl'),
    databaseConnectionsMax: read('databaseConnectionsMax'),
    slowConnectionsMax: read('slowConnectionsMax'),
    redisUrl: read('redisUrl'),
    statementTimeoutMs: read('statementTimeoutMs'),
    slowStatementTimeoutMs: read('slowStatementTimeoutMs'),
    lockTimeoutMs: read('lockTimeoutMs'),
    secret: read('secret'),
    accessTokenTtlMs: read('accessTokenTtlMs'),
    refreshTokenTtlMs: read('refreshTokenTtlMs'),
    passwordHashesMax: read('passwordHashesMax'),
    jwksUrl: read('jwksUrl'),
    jwtPublicKey: read('jwtPublicKey'),
    jwtHmacSecret: read('jwtHmacSecret'),
    jwtIssuer: read('jwtIssuer'),
    jwtAudience: read('jwtAudience'),
    jwtClaimId: read('jwtClaimId'),
    jwtClaimHandle: read('jwtClaimHandle'),
    jwtClaimName: read('jwtClaimName'),
    jwtClaimPicture: read('jwtClaimPicture'),
    jwtClaimTier: read('jwtClaimTier'),
    jwtClaimRole: read('jwtClaimRole'),
    arePasswordsEnabled: read('arePasswordsEnabled'),
    serviceToken: read('serviceToken'),
    allowedOrigins: read('allowedOrigins'),
    isGraphiQLEnabled: read('isGraphiQLEnabled'),
    isIntrospectionEnabled: read('isIntrospectionEnabled'),
    isChatPageEnabled: read('isChatPageEnabled'),
    limitsMode: read('limitsMode'),
    limitsFile: read('limitsFile'),
    limitsLog: read('limitsLog'),
    trustedProxies: read('trustedProxies'),
    metricsToken: read('metricsToken'),
    metricsPort: read('metricsPort'),
    logLevel: read('logLevel'),
    stopTimeoutMs: read('stopTimeoutMs'),
  };
  if (mode === 'development' && config.secret === null && !isLoopback(config.host)) {
    problems.push(
      `HOST is reachable from other machines (${config.host}), so this is no laptop's server: set SECRET, and NODE_ENV=production.`,
    );
  }
  if (config.metricsPort !== null && config.metricsPort !== 0 && config.metricsPort === config.port) {
    problems.push(`METRICS_PORT must be another port than PORT, got ${config.port} for both.`);
  }
  problems.push(...identityProblems(config, environment));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** docs/configuration.md, whole. */
export function describeSettings(): string {
  const rows = Object.values(SETTINGS).map(
    ({ name, unit, fallback, description }) =>
      `| \`${name}\` | ${unit} | ${fallback === null || fallback === '' ? '–' : `\`${fallback}\``} | ${description} |`,
  );
  return [
    '# Configuration',
    '',
    'Every setting comes from the environment and is read once, at start. Whatever is wrong is reported together, and nothing starts.',
    '',
    'With `NODE_ENV=production` a setting that is unsafe refuses to start. GraphiQL, introspection and the chat page are on in development and',
    `off in production; the value \`${ALLOW}\` switches them on there, for who means it.`,
    '',
    '| Setting | Unit | Default | Meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function developmentOnly(name: string, description: string, reason: string): Setting<boolean> {
  return {
    name,
    description: `${description} Default: on in development, off in production.`,
    unit: `\`on\`, \`off\`, \`${ALLOW}\``,
    fallback: null,
    read(text, mode) {
      if (text === null) return mode === 'development';
      const value = oneOf(['on', 'off', ALLOW])(text);
      if (value === 'on' && mode === 'production')
        throw new Error(`must not be on in production, as ${reason}: "${ALLOW}" says that you mean it`);
      return value !== 'off';
    },
  };
}

function origins(text: string | null): readonly string[] {
  const given = (text ?? '').split(',').map((origin) => origin.trim());
  return given
    .filter((origin) => origin !== '')
    .map((origin) => {
      const url = URL.canParse(origin) ? new URL(origin) : null;
      if (url === null || url.origin !== origin)
        throw new Error(`must be origins such as https://chat.example.com, without a path, got ${JSON.stringify(origin)}`);
      return origin;
    });
}
