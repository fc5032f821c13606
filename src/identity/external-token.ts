import { createSecretKey } from 'node:crypto';
import { createRemoteJWKSet, customFetch, decodeJwt, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import { ISSUER } from '../platform/issuer.ts';
import { readPublicKey } from '../platform/public-key.ts';
import { downloadSmall } from '../platform/small-download.ts';
import { type ClaimNames, type Claims, readClaims } from './claims.ts';

/** Whose access tokens are believed besides our own. At most one of the keys is set. */
export type ExternalTokensConfig = ClaimNames & {
  readonly jwksUrl: string | null;
  readonly jwtPublicKey: string | null;
  readonly jwtHmacSecret: string | null;
  readonly jwtIssuer: string | null;
  readonly jwtAudience: string | null;
};

export type ExternalToken = Claims & {
  /** With the leeway: from then on it is refused. */
  readonly expiresAtMs: number;
  readonly issuedAt: Date | null;
};

export type ExternalTokens = {
  /** UNAUTHENTICATED unless the provider signed the token for us and it has not expired; OVERLOADED while the provider's keys cannot be had. */
  verify(token: string): Promise<ExternalToken>;
};

export type ExternalTokensDependencies = {
  readonly config: ExternalTokensConfig;
  readonly clock: Clock;
  /** Told why the provider's keys could not be had. */
  readonly onKeysUnavailable: (error: unknown) => void;
};

/** How far the provider's clock and ours may be apart. */
const LEEWAY_S = 30;
const JWKS_TIMEOUT_MS = 5_000;
const JWKS_BYTES_MAX = 256 * 1024;
/** Keys are asked for anew after this time, and at once for a token whose key is unknown, but not again within the pause. */
const JWKS_AGE_MAX_MS = 600_000;
const JWKS_PAUSE_MS = 30_000;
const KEYS_RETRY_AFTER_MS = 5_000;
/** Of public keys in a key set. Never HMAC, for which a public key would be the secret. */
const PUBLIC_ALGORITHMS = ['EdDSA', 'ES256', 'ES384', 'RS256', 'PS256'];
const HMAC_ALGORITHMS = ['HS256', 'HS384', 'HS512'];
/** Not of what the same key signs for other purposes, such as `logout+jwt`. */
const TYPES = ['jwt', 'at+jwt', 'application/at+jwt'];
/** What can still be written as a date. */
const END_OF_TIME_MS = Date.UTC(9_999, 0);

type KeySource = { readonly key: JWTVerifyGetKey; readonly algorithms: readonly string[] };

/** Null when no provider is set. The algorithms are pinned by the kind of key: a token does not choose how it is checked. */
export function createExternalTokens({ config, clock, onKeysUnavailable }: ExternalTokensDependencies): ExternalTokens | null {
  const source = keySourceOf(config);
  if (source === null) return null;
  const { key, algorithms } = source;
  const options = {
    algorithms: [...algorithms],
    ...(config.jwtIssuer === null ? {} : { issuer: config.jwtIssuer }),
    ...(config.jwtAudience === null ? {} : { audience: config.jwtAudience }),
    requiredClaims: ['exp', config.jwtClaimId],
    clockTolerance: LEEWAY_S,
  };
  return {
    async verify(token) {
      const verified = await jwtVerify(token, key, { ...options, currentDate: new Date(clock.now()) }).catch((error: unknown) => {
        if (error instanceof errors.JWTExpired)
          throw new AppError('UNAUTHENTICATED', 'The access token has expired: get a new one where you signed in.');
        if (isOfToken(error)) throw notValid();
        onKeysUnavailable(error);
        const message = 'The keys of the identity provider cannot be had at the moment: try again.';
        throw new AppError('OVERLOADED', message, { retryAfterMs: KEYS_RETRY_AFTER_MS }, { cause: error });
      });
      const { payload, protectedHeader } = verified;
      const claims = readClaims(payload, config);
      if (claims === null || payload.exp === undefined || !isAccessTokenType(protectedHeader.typ)) throw notValid();
      // Nothing was issued later than now, whatever a clock elsewhere says: it would count for newer than what comes after it.
      const issuedAt = payload.iat === undefined ? null : new Date(Math.min(Math.max(payload.iat * 1_000, 0), clock.now()));
      return { ...claims, expiresAtMs: Math.min((payload.exp + LEEWAY_S) * 1_000, END_OF_TIME_MS), issuedAt };
    },
  };
}

/** By what the token says of itself, unchecked: only to choose who checks it. */
export function isOurs(token: string): boolean {
  try {
    return decodeJwt(token).iss === ISSUER;
  } catch {
    return true; // Of no form at all: ours to refuse.
  }
}

function keySourceOf({ jwksUrl, jwtPublicKey, jwtHmacSecret }: ExternalTokensConfig): KeySource | null {
  if (jwksUrl !== null) return { key: remoteKeys(new URL(jwksUrl)), algorithms: PUBLIC_ALGORITHMS };
  if (jwtPublicKey !== null) {
    const { key, algorithms } = readPublicKey(jwtPublicKey);
    return { key: async () => key, algorithms };
  }
  if (jwtHmacSecret !== null) {
    const key = createSecretKey(Buffer.from(jwtHmacSecret, 'utf8'));
    return { key: async () => key, algorithms: HMAC_ALGORITHMS };
  }
  return null;
}

function remoteKeys(url: URL): JWTVerifyGetKey {
  return createRemoteJWKSet(url, {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cacheMaxAge: JWKS_AGE_MAX_MS,
    cooldownDuration: JWKS_PAUSE_MS,
    [customFetch]: async (address, { headers, signal }) => {
      const { status, body } = await downloadSmall(new URL(address), {
        headers: Object.fromEntries(headers),
        signal,
        bytesMax: JWKS_BYTES_MAX,
      });
      return new Response(body, { status });
    },
  });
}

/** Many providers leave it out. */
function isAccessTokenType(type: unknown): boolean {
  return type === undefined || (typeof type === 'string' && TYPES.includes(type.toLowerCase()));
}

/** A mistake of the token; everything else is one of the provider, or of the way there. */
function isOfToken(error: unknown): boolean {
  return [
    errors.JWTClaimValidationFailed,
    errors.JWTInvalid,
    errors.JWSInvalid,
    errors.JWSSignatureVerificationFailed,
    errors.JOSEAlgNotAllowed,
    errors.JOSENotSupported,
    errors.JWKSNoMatchingKey,
    errors.JWKSMultipleMatchingKeys,
  ].some((kind) => error instanceof kind);
}

function notValid(): AppError {
  return new AppError('UNAUTHENTICATED', 'The access token is not valid here: get one for this server where you signed in.');
}
