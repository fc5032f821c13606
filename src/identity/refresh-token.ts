import { createHash, randomBytes } from 'node:crypto';

const PREFIX = 'rkr_';
const SECRET_BYTES = 32;
const FORM = /^rkr_[A-Za-z0-9_-]{43}$/;

/** 256 random bits. The prefix lets scanners of leaked secrets recognise it. */
export function newRefreshToken(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
}

/** SHA-256 in hexadecimal digits: all that is kept. Null for what cannot be a refresh token. */
export function refreshTokenHash(token: string): string | null {
  return FORM.test(token) ? createHash('sha256').update(token).digest('hex') : null;
}
