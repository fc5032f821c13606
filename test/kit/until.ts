import { setTimeout as sleep } from 'node:timers/promises';

const DEADLINE_MS = 10_000;
const RETRY_MS = 20;

/** Asks again and again until the answer fits, and answers it. Throws with the last answer when it has not in time. */
export async function until<Value>(
  ask: () => Promise<Value> | Value,
  fits: (value: Value) => boolean,
  deadlineMs = DEADLINE_MS,
): Promise<Value> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await ask();
    if (fits(value)) return value;
    if (performance.now() > end) throw new Error(`Must fit within ${deadlineMs} ms, got ${JSON.stringify(value)}`);
    await sleep(RETRY_MS);
  }
}
