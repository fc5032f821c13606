import { createWriteStream } from 'node:fs';
import type { KeyOf, LimitedWork, LimitSubject } from '../platform/rate-limit-charges.ts';
import { trafficEntry } from '../platform/rate-limit-traffic.ts';

/** `spent`: the points that it came to. */
export type RecordLimits = (asked: {
  readonly name: string;
  readonly subject: LimitSubject;
  readonly work: LimitedWork;
  readonly spent: number;
}) => void;

export type LimitsLog = AsyncDisposable & { readonly record: RecordLimits };

/** Of what waits to be written: a disk that is slower than the server must not fill its memory, so lines are left out. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

/** Appends to a file of JSON lines what is asked of the limits, to be tried against other limits by `rookery limits simulate`. */
export function openLimitsLog(path: string, keyOf: KeyOf, now: () => number, onError: (error: unknown) => void): LimitsLog {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  stream.on('error', onError);
  return {
    record({ name, subject, work, spent }) {
      if (stream.writableLength > WAITING_BYTES_MAX) return;
      stream.write(`${JSON.stringify(trafficEntry(now(), name, subject, work, spent, keyOf))}\n`);
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}
