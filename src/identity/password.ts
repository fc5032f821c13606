import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { AppError } from '../platform/errors.ts';
import { PASSWORD_LENGTH_MAX } from './user.ts';

export type Passwords = {
  /** The hash to keep, in the PHC string format. */
  hash(password: string): Promise<string>;
  /** Whether the password belongs to the hash. Without a hash (nobody of that name) it is false, after the same time. */
  verify(password: string, hash: string | null): Promise<boolean>;
};

/** Argon2id with the smallest cost that OWASP recommends: 19 MiB and some 20 ms a hash. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Those who wait: about two seconds of work for one core. More would be answered after everybody has given up. */
const WAITING_MAX = 100;
const RETRY_AFTER_MS = 2_000;

/**
 * Hashing happens beside the event loop, at most `hashesMax` at once, as each holds a core and 19 MiB. One more than the queue
 * holds is OVERLOADED.
 */
export function createPasswords({ hashesMax }: { readonly hashesMax: number }): Passwords {
  const limited = createQueue(hashesMax);
  const nobodysHash = `$argon2id$v=19$m=${COST.memoryCost},t=${COST.timeCost},p=${COST.parallelism}$${base64(16)}$${base64(32)}`;
  return {
    hash: (password) => limited(() => hash(composed(password), COST)),
    async verify(password, kept) {
      // Far longer than any password: cut, so that nobody can have megabytes hashed. No stored one reaches that length.
      const tried = composed(password.slice(0, PASSWORD_LENGTH_MAX * 2 + 1));
      const belongs = await limited(() => verify(kept ?? nobodysHash, tried));
      return belongs && kept !== null;
    },
  };
}

/** Keyboards disagree on how a letter with an accent is written; the person typed the same. */
function composed(password: string): string {
  return password.normalize('NFKC');
}

/** Without padding, as the PHC format has it. */
function base64(bytes: number): string {
  return randomBytes(bytes).toString('base64').replaceAll('=', '');
}

function createQueue(runningMax: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running < runningMax) {
      running += 1;
    } else if (waiting.length < WAITING_MAX) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      throw new AppError('OVERLOADED', `${WAITING_MAX} passwords are waiting to be checked: try again.`, { retryAfterMs: RETRY_AFTER_MS });
    }
    try {
      return await work();
    } finally {
      // The place goes to the next in the queue, or is free.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
