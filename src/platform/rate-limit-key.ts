import { hash } from 'node:crypto';
import { dropOldest } from './drop-oldest.ts';
import type { KeyOf } from './rate-limit-charges.ts';

/** 132 bits. */
const KEY_LENGTH = 22;
/** Who comes again soon is not hashed again. */
const REMEMBERED_MAX = 20_000;

/**
 * Names of windows: hashes with a secret, so that nobody learns from a store or a log who did what, and nobody can choose one. The same on all
 * nodes.
 */
export function createKeyOf(secret: Buffer): KeyOf {
  const pepper = secret.toString('base64');
  const remembered = new Map<string, string>();
  return (policy, owner) => {
    const text = `${policy} ${owner}`;
    const known = remembered.get(text);
    if (known !== undefined) return known;
    const key = hash('sha256', `${pepper} ${text}`, 'base64url').slice(0, KEY_LENGTH);
    remembered.set(text, key);
    dropOldest(remembered, REMEMBERED_MAX);
    return key;
  };
}
