import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SECRET_BYTES = 32;

/** A secret of this data directory's own, made on first use and readable by its owner alone, so that sessions outlive a restart. */
export function developmentSecret(directory: string): string {
  const path = join(directory, 'secret');
  mkdirSync(directory, { recursive: true });
  try {
    writeFileSync(path, randomBytes(SECRET_BYTES).toString('hex'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const secret = readFileSync(path, 'utf8');
  // The disk was full, or the power went: with what is left, anybody could sign tokens.
  if (secret.length !== SECRET_BYTES * 2) {
    throw new Error(`${path} must hold ${SECRET_BYTES * 2} characters, got ${secret.length}: remove it, and everybody signs in again.`);
  }
  return secret;
}
