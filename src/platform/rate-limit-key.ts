import { hash } from 'node:crypto';
import type { KeyOf } from './rate-limit-charges.ts';

/** 132 bits. */
const KEY_LENGTH = 22;
/** Who comes again soon is not hashed again: of the last so many, or twice that. */
const REMEMBERED_MAX = 20_000;
/** No owner of a window has a longer name; what a client makes up must not fill the memory. */
const REMEMBERED_LENGTH_MAX = 100;

/**
 * Names of windows: hashes with a secret, so that nobody learns from a store or a log who did what, and nobody can choose one. The same on all
 * nodes.
 */
export function createKeyOf(secret: Buffer): KeyOf {
  const pepper = secret.toString('base64');
  const hashed = (text: string) => hash('sha256', `${pepper} ${text}`, 'base64url').slice(0, KEY_LENGTH);
  // In two halves, of which the older goes at once: to delete one by one what is oldest is slow in a Map.
  let newer = new Map<string, string>();
  let older = newer;
  return (policy, owner) => {
    const text = `${policy} ${owner}`;
    if (text.length > REMEMBERED_LENGTH_MAX) return hashed(text);
    const known = newer.get(text);
    if (known !== undefined) return known;
    const key = older.get(text) ?? hashed(text);
    if (newer.size >= REMEMBERED_MAX) {
      older = newer;
      newer = new Map();
    }
    newer.set(text, key);
    return key;
  };
}
