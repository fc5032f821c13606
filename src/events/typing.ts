import type { SignalNews } from './bus.ts';
import type { Signal } from './event.ts';

/** Typists of one conversation that are known at once at most; more are not told of. */
const TYPISTS_MAX = 100;
/** Devices of one person that type at once at most. */
const DEVICES_MAX = 10;

type Typing = Extract<Signal, { readonly __typename: 'TypingChanged' }>;
/** `until` by the monotonic clock, by device. */
type Typist = { readonly user: Typing['user']; readonly devices: Map<string, number>; timer: NodeJS.Timeout | undefined };

/**
 * Who is typing in one conversation, as this node knows: a person is while any of their devices is, and each device only for as long as
 * its last signal said. So typing ends by itself on every node, also when the node that took the signal is gone.
 */
export class TypingPeople {
  readonly #typists = new Map<number, Typist>();
  readonly #tell: (signal: Typing) => void;

  /** `tell` hears of each person who begins, and who ends. */
  constructor(tell: (signal: Typing) => void) {
    this.#tell = tell;
  }

  get current(): readonly Typing[] {
    return [...this.#typists.values()].map(({ user }) => signalOf(user, true));
  }

  take(user: Typing['user'], isTyping: boolean, { device, remainingMs }: NonNullable<SignalNews['typing']>): void {
    const known = this.#typists.get(user.key);
    if (!isTyping) {
      if (known?.devices.delete(device)) this.#settle(known);
      return;
    }
    if (known === undefined && this.#typists.size >= TYPISTS_MAX) return;
    const typist = known ?? { user, devices: new Map(), timer: undefined };
    if (typist.devices.size >= DEVICES_MAX && !typist.devices.has(device)) return;
    typist.devices.set(device, performance.now() + remainingMs);
    this.#typists.set(user.key, typist);
    this.#settle(typist);
    if (known === undefined && this.#typists.get(user.key) === typist) this.#tell(signalOf(user, true));
  }

  /** They have sent what they typed, or are a member no longer. */
  end(userKey: number): void {
    const typist = this.#typists.get(userKey);
    if (typist === undefined) return;
    typist.devices.clear();
    this.#settle(typist);
  }

  close(): void {
    for (const { timer } of this.#typists.values()) clearTimeout(timer);
    this.#typists.clear();
  }

  /** Lets go the devices whose time is over, and tells when none is left. */
  #settle(typist: Typist): void {
    clearTimeout(typist.timer);
    const now = performance.now();
    for (const [device, until] of typist.devices) if (until <= now) typist.devices.delete(device);
    if (typist.devices.size > 0) {
      const untilMs = Math.max(...typist.devices.values());
      typist.timer = setTimeout(() => this.#settle(typist), untilMs - now).unref();
      return;
    }
    if (this.#typists.get(typist.user.key) !== typist) return;
    this.#typists.delete(typist.user.key);
    this.#tell(signalOf(typist.user, false));
  }
}

function signalOf(user: Typing['user'], isTyping: boolean): Typing {
  return { __typename: 'TypingChanged', user, isTyping, atUs: Date.now() * 1_000 };
}
