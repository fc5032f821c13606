import { ISSUER } from '../platform/issuer.ts';
import { readPublicKey } from '../platform/public-key.ts';
import { atLeast, type Environment, isLoopback, type Mode, oneOf, SECRET_LENGTH_MIN, type Setting } from './setting.ts';

/** Who vouches for users besides Rookery itself. */
export type IdentityConfig = {
  readonly jwksUrl: string | null;
  readonly jwtPublicKey: string | null;
  readonly jwtHmacSecret: string | null;
  readonly jwtIssuer: string | null;
  readonly jwtAudience: string | null;
  readonly jwtClaimId: string;
  readonly jwtClaimHandle: string;
  readonly jwtClaimName: string;
  readonly jwtClaimPicture: string;
  readonly jwtClaimTier: string;
  readonly jwtClaimRole: string;
  readonly arePasswordsEnabled: boolean;
  readonly serviceToken: string | null;
};

const KEY_SETTINGS = ['JWKS_URL', 'JWT_PUBLIC_KEY', 'JWT_HMAC_SECRET'] as const;
const SERVICE_TOKEN_LENGTH_MAX = 512;

export const identitySettings: { readonly [Name in keyof IdentityConfig]: Setting<IdentityConfig[Name]> } = {
  jwksUrl: {
    name: 'JWKS_URL',
    description:
      'Where your identity provider publishes the keys of its access tokens: a JSON Web Key Set. In production https, unless it is on this machine. Redirects are not followed, link-local addresses never asked. At most one of this, JWT_PUBLIC_KEY and JWT_HMAC_SECRET.',
    unit: 'address',
    fallback: null,
    read: readJwksUrl,
  },
  jwtPublicKey: {
    name: 'JWT_PUBLIC_KEY',
    description:
      'The public key of your identity provider’s access tokens, as PEM or JWK: Ed25519, P-256, P-384, or RSA of 2048 bits and more.',
    unit: 'PEM or JWK',
    fallback: null,
    read(text) {
      if (text !== null) readPublicKey(text);
      return text;
    },
  },
  jwtHmacSecret: {
    name: 'JWT_HMAC_SECRET',
    description: `The secret that your backend signs access tokens with (HS256, HS384 or HS512): at least ${SECRET_LENGTH_MIN} random characters.`,
    unit: 'text',
    fallback: null,
    read: atLeast(SECRET_LENGTH_MIN),
  },
  jwtIssuer: {
    name: 'JWT_ISSUER',
    description:
      'The `iss` that external access tokens must have. Required in production with external tokens: one key may sign for several issuers.',
    unit: 'text',
    fallback: null,
    read(text) {
      if (text === ISSUER) throw new Error(`must not be "${ISSUER}", which is the issuer of our own tokens`);
      return text;
    },
  },
  jwtAudience: {
    name: 'JWT_AUDIENCE',
    description:
      'The `aud` that external access tokens must have. Required in production with external tokens: else a token that was issued for another application of the same provider would open this one.',
    unit: 'text',
    fallback: null,
    read: (text) => text,
  },
  jwtClaimId: claim('ID', 'sub', 'by which a user is known for ever: a text of 1 to 255 characters, or a whole number'),
  jwtClaimHandle: claim('HANDLE', 'preferred_username', 'that a new user’s handle is made of'),
  jwtClaimName: claim('NAME', 'name', 'with the display name'),
  jwtClaimPicture: claim('PICTURE', 'picture', 'with the https address of a picture'),
  jwtClaimTier: claim('TIER', 'tier', 'with the tier: `free`, `standard`, `premium` or `enterprise`'),
  jwtClaimRole: claim('ROLE', 'role', 'with the role: `user` or `admin`, or a list that holds one of them'),
  arePasswordsEnabled: {
    name: 'PASSWORDS',
    description:
      'Whether people may sign up and sign in by password. Default: on; off in production with external tokens, where your provider says who gets in.',
    unit: '`on`, `off`',
    fallback: null,
    read: (text, mode, environment) =>
      text === null ? mode === 'development' || keysGiven(environment).length === 0 : oneOf(['on', 'off'])(text) === 'on',
  },
  serviceToken: {
    name: 'SERVICE_TOKEN',
    description: `What your product’s own backend sends as a bearer token, to create users and to act for them: ${SECRET_LENGTH_MIN} to ${SERVICE_TOKEN_LENGTH_MAX} random characters.`,
    unit: 'text',
    fallback: null,
    read(text) {
      const token = atLeast(SECRET_LENGTH_MIN)(text);
      if (token !== null && (token.length > SERVICE_TOKEN_LENGTH_MAX || !/^[\x21-\x7e]+$/.test(token)))
        throw new Error(`must be at most ${SERVICE_TOKEN_LENGTH_MAX} printable ASCII characters without spaces, as a header carries it`);
      return token;
    },
  },
};

type Whole = IdentityConfig & { readonly mode: Mode; readonly secret: string | null; readonly metricsToken: string | null };

/** What is wrong with these settings together; what is wrong with each by itself has been told. */
export function identityProblems(config: Whole, environment: Environment): readonly string[] {
  const problems: string[] = [];
  const names = keysGiven(environment);
  if (names.length > 1) problems.push(`${names.join(', ')} must not be set together: one says whose tokens are believed.`);
  for (const name of ['JWT_ISSUER', 'JWT_AUDIENCE']) {
    const isGiven = Boolean(environment[name]);
    if (names.length > 0 && !isGiven && config.mode === 'production')
      problems.push(
        `${name} is required in production with ${names.join(', ')}: else tokens that were issued for something else open this server.`,
      );
    if (names.length === 0 && isGiven)
      problems.push(`${name} must come with one of ${KEY_SETTINGS.join(', ')}: nothing is checked without a key.`);
  }
  if (names.length === 0 && !config.arePasswordsEnabled && config.serviceToken === null)
    problems.push(`PASSWORDS must not be off without one of ${KEY_SETTINGS.join(', ')} or SERVICE_TOKEN: nobody could get in.`);
  const secrets = Object.entries({
    SERVICE_TOKEN: config.serviceToken,
    SECRET: config.secret,
    METRICS_TOKEN: config.metricsToken,
    JWT_HMAC_SECRET: config.jwtHmacSecret,
  });
  for (const [index, [name, value]] of secrets.entries()) {
    for (const [other, otherValue] of secrets.slice(index + 1))
      if (value !== null && value === otherValue) problems.push(`${name} must not be the same as ${other}: who holds one would hold both.`);
  }
  return problems;
}

function keysGiven(environment: Environment) {
  return KEY_SETTINGS.filter((name) => Boolean(environment[name]));
}

function readJwksUrl(text: string | null, mode: Mode): string | null {
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['https:', 'http:'].includes(url.protocol)) throw new Error('must begin with https://, got something else');
  if (url.username !== '' || url.password !== '') throw new Error('must not hold a user or password, as addresses end up in logs');
  if (url.protocol === 'http:' && mode === 'production' && !isLoopback(url.hostname))
    throw new Error('must begin with https:// in production: who can change what comes over http decides who everybody is');
  return url.href;
}

function claim(name: string, fallback: string, meaning: string): Setting<string> {
  return {
    name: `JWT_CLAIM_${name}`,
    description: `The claim of external access tokens ${meaning}.`,
    unit: 'name',
    fallback,
    read: (text) => text ?? fallback,
  };
}
