import { AppError } from './errors.ts';

const RETRY_AFTER_MS = 1_000;

/**
 * What one at a time may use, such as connections. `take` waits for one that is free, in the order of asking, until its signal comes; more than
 * `queueMax` do not wait: OVERLOADED. What was taken must be given back.
 */
export function createLanes<Lane>(lanes: readonly Lane[], queueMax: number) {
  const idle = [...lanes];
  const waiting = new Set<(lane: Lane) => void>();

  return {
    release(lane: Lane): void {
      const [next] = waiting;
      if (next === undefined) idle.push(lane);
      else next(lane);
    },

    async take(signal: AbortSignal): Promise<Lane> {
      signal.throwIfAborted();
      const lane = idle.pop();
      if (lane !== undefined) return lane;
      if (waiting.size >= queueMax)
        throw new AppError('OVERLOADED', `The database has ${queueMax} long statements waiting: try again.`, {
          retryAfterMs: RETRY_AFTER_MS,
        });
      const { promise, resolve, reject } = Promise.withResolvers<Lane>();
      const next = (given: Lane) => {
        waiting.delete(next);
        resolve(given);
      };
      // At once: a lane that comes in the same turn must not be given to who is gone.
      const leave = () => {
        waiting.delete(next);
        reject(signal.reason);
      };
      waiting.add(next);
      signal.addEventListener('abort', leave);
      try {
        return await promise;
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
  };
}
