import { hkdfSync } from 'node:crypto';

/** The keys of a server. Whoever starts several servers gives all of them the same secret: what one signs, all can check. */
export type Secrets = {
  /** 32 bytes; signs cursors. */
  readonly cursorKey: Buffer;
  /** 32 bytes; the private key (Ed25519) that signs access tokens. */
  readonly signingSeed: Buffer;
  /** 32 bytes; hides whose windows of rate limits are whose. */
  readonly limitKey: Buffer;
};

const KEY_BYTES = 32;

/** Everything from one secret, by HKDF-SHA256 with a purpose each: who learns one key learns nothing about another. */
export function deriveSecrets(secret: string): Secrets {
  return {
    cursorKey: derive(secret, 'rookery cursor key 1'),
    signingSeed: derive(secret, 'rookery access token key 1'),
    limitKey: derive(secret, 'rookery limit key 1'),
  };
}

function derive(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), purpose, KEY_BYTES));
}
