/** At once, or later. */
export type Eventual<Value> = Value | Promise<Value>;

/** As graphql tells: by a function of this name. */
export function isPromise(value: unknown): value is Promise<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return 'then' in value && typeof value.then === 'function';
}
