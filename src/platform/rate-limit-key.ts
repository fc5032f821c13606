import { hash } from 'node:crypto';
import type { KeyOf } from './rate-limit-charges.ts';

/** 132 bits. */
const KEY_LENGTH = 22;
/** Who comes again soon is not hashed again: of the last so many, or twice that. */
const REMEMBERED_MAX = 20_000;

/**
 * Names of windows: hashes with a secret, so that nobody learns from a store or a log who did what, and nobody can choose one. The same on all
 * nodes.
 */
export function createKeyOf(secret: Buffer): KeyOf {
  const pepper = secret.toString('base64');
  // In two halves, of which the older goes at once: to delete one by one what is oldest is slow in a Map.
  let newer = new Map<string, string>();
  let older = newer;
  return (policy, owner) => {
    const text = `${policy} ${owner}`;
    const known = newer.get(text);
    if (known !== undefined) return known;
    const key = older.get(text) ?? hash('sha256', `${pepper} ${text}`, 'base64url').slice(0, KEY_LENGTH);
    if (newer.size >= REMEMBERED_MAX) {
      older = newer;
      newer = new Map();
    }
    newer.set(text, key);
    return key;
  };
}
