import { createHash } from 'node:crypto';

/**
 * What all names in Redis begin with: another for each history of the database, so that nothing of a restored or foreign one is taken
 * for ours. In braces, so that a cluster keeps what one script touches on one node.
 */
export function redisPrefix(epoch: string): string {
  return `{rookery:${createHash('sha256').update(epoch).digest('hex').slice(0, 12)}}:`;
}
