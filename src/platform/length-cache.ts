export type LengthCache<Value> = {
  /** It counts as used from now on. */
  get(text: string): Value | undefined;
  /** `length`: of what is remembered with the text, in UTF-16 units. What is longer than all that may be remembered is not. */
  set(text: string, value: Value, length?: number): void;
};

/**
 * Remembers something by a text that clients choose: at most so many UTF-16 units of text and what came with it, and forgets first what
 * was not used for the longest time. A count of entries would say nothing of the memory that they take.
 */
export function createLengthCache<Value>({ lengthMax }: { readonly lengthMax: number }): LengthCache<Value> {
  /** The least recently used first. */
  const entries = new Map<string, { readonly value: Value; readonly length: number }>();
  let total = 0;

  function drop(text: string): void {
    total -= entries.get(text)?.length ?? 0;
    entries.delete(text);
  }

  return {
    get(text) {
      const entry = entries.get(text);
      if (entry === undefined) return undefined;
      entries.delete(text);
      entries.set(text, entry);
      return entry.value;
    },
    set(text, value, length = 0) {
      drop(text);
      const whole = text.length + length;
      if (whole > lengthMax) return;
      entries.set(text, { value, length: whole });
      total += whole;
      for (const oldest of entries.keys()) {
        if (total <= lengthMax) return;
        drop(oldest);
      }
    },
  };
}
