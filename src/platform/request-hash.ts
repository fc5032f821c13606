import { createHash } from 'node:crypto';

/** By which a repeat is told from another request under the same key: the first 128 bits of a SHA-256, in the form of a UUID. */
export function requestHash(...parts: readonly (string | number | null)[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
