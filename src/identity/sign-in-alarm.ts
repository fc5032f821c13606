import type { Clock } from '../platform/clock.ts';
import { MemoryRateLimitStore } from '../platform/rate-limit-memory.ts';

const WINDOW_MS = 60_000;
const WINDOW_KEY = 'failed sign-ins';
/** Windows above a thousand are kept in a hundred or two parts. */
const PARTS_MAX = 1_024;

export type SignInAlarmOptions = {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Failed sign-ins of a minute, of everybody together, from which one more is an alarm; as it is now. */
  readonly failuresMax: () => number;
  /** Told when an alarm begins, and once there has been none for a minute. */
  readonly onChange: (isOn: boolean) => void;
};

/**
 * Who guesses one password for a thousand accounts from a thousand addresses stays below the limit of each. Together they are more than people
 * mistype: that is told to who runs the server. Nobody is refused for it, else whoever guesses could keep everybody out.
 */
export class SignInAlarm implements Disposable {
  readonly #options: SignInAlarmOptions;
  readonly #failures: MemoryRateLimitStore;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: SignInAlarmOptions) {
    this.#options = options;
    this.#failures = new MemoryRateLimitStore({ clock: options.clock, windowsMax: 1, partsMax: PARTS_MAX });
  }

  get isOn(): boolean {
    return this.#timer !== null;
  }

  /** A handle and a password that do not belong together. */
  failed(): void {
    const max = this.#options.failuresMax();
    const { isAllowed } = this.#failures.take([{ policy: 'signIn', key: WINDOW_KEY, max, windowMs: WINDOW_MS, amount: 1 }]);
    if (isAllowed) return;
    const wasOn = this.isOn;
    clearTimeout(this.#timer ?? undefined);
    this.#timer = setTimeout(() => this.#end(), WINDOW_MS).unref();
    if (!wasOn) this.#options.onChange(true);
  }

  #end(): void {
    this.#timer = null;
    this.#options.onChange(false);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer ?? undefined);
  }
}
