import { AppError } from './errors.ts';

const RETRY_AFTER_MS = 1_000;

/** A semaphore with a bounded queue: resolves to a function that gives the place back. */
export function createStatementGate(placesMax: number, queueMax: number): () => Promise<() => void> {
  let taken = 0;
  const waiting: (() => void)[] = [];
  const release = () => {
    const next = waiting.shift();
    if (next === undefined) taken -= 1;
    else next();
  };
  return async () => {
    if (taken < placesMax) {
      taken += 1;
    } else if (waiting.length < queueMax) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      throw new AppError('OVERLOADED', `The database has ${queueMax} statements waiting: try again.`, { retryAfterMs: RETRY_AFTER_MS });
    }
    return release;
  };
}
