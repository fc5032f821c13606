/** Given to whatever decides by time, so that a test can be years ahead in a moment. */
export type Clock = {
  /** The wall clock: milliseconds since 1970. It may jump, also back. */
  now(): number;
  /** Milliseconds since some moment; never goes back. For durations. */
  monotonic(): number;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
