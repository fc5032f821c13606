import { createPrivateKey, createPublicKey } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import { ISSUER } from '../platform/issuer.ts';

/** What an access token says. Who that is, and whether the session goes on, is the database's to say. */
export type AccessClaims = { readonly userUuid: string; readonly sessionUuid: string; readonly expiresAtMs: number };

export type AccessTokens = {
  sign(userUuid: string, sessionUuid: string): Promise<{ readonly token: string; readonly expiresAt: Date }>;
  /** UNAUTHENTICATED unless this server, or one with the same secret, signed the token and it has not expired. */
  verify(token: string): Promise<AccessClaims>;
};

export type AccessTokensDependencies = {
  /** 32 bytes: the private key. */
  readonly signingSeed: Buffer;
  readonly clock: Clock;
  /** Counted in whole seconds. */
  readonly ttlMs: number;
};

const ALGORITHM = 'EdDSA';
/** RFC 9068: keeps tokens of other kinds, signed with the same key one day, from being taken for access tokens. */
const TYPE = 'at+jwt';
const AUDIENCE = 'rookery';
/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** JSON Web Tokens signed with Ed25519. The algorithm is pinned: a token does not choose how it is checked. */
export function createAccessTokens({ signingSeed, clock, ttlMs }: AccessTokensDependencies): AccessTokens {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, signingSeed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey);
  return {
    async sign(userUuid, sessionUuid) {
      const issuedAt = Math.floor(clock.now() / 1_000);
      const expiresAt = issuedAt + Math.ceil(ttlMs / 1_000);
      const token = await new SignJWT({ sid: sessionUuid })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(userUuid)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(privateKey);
      return { token, expiresAt: new Date(expiresAt * 1_000) };
    },
    async verify(token) {
      const { payload } = await jwtVerify(token, publicKey, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'sid', 'iat', 'exp'],
        currentDate: new Date(clock.now()),
      }).catch(refuse);
      const { sub, exp } = payload;
      const sid = payload['sid'];
      if (sub === undefined || exp === undefined || typeof sid !== 'string') throw notValid();
      return { userUuid: sub, sessionUuid: sid, expiresAtMs: exp * 1_000 };
    },
  };
}

export function accessTokenExpired(): AppError {
  return new AppError('UNAUTHENTICATED', 'The access token has expired: refresh the session.');
}

/** Which check failed is nobody's business but expiry, which an honest client needs to know. */
function refuse(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw accessTokenExpired();
  if (error instanceof errors.JOSEError) throw notValid();
  throw error;
}

function notValid(): AppError {
  return new AppError('UNAUTHENTICATED', 'The access token is not valid: sign in, or refresh the session.');
}
