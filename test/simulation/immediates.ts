/** Stands in for node:timers/promises where src asks for it: a turn of the clock of the simulation. */
export function setImmediate(): Promise<void> {
  return new Promise((resolve) => globalThis.setImmediate(resolve));
}
