import type { Context } from './context.ts';

/**
 * Makes one value per request, on first use, and lets it go with the request: how a loader lives beside its resolver while
 * `Context` knows nothing of it. In a subscription every event has a context of its own, so its loaders start empty.
 */
export function perRequest<Value>(make: (context: Context) => Value): (context: Context) => Value {
  const values = new WeakMap<Context, { readonly value: Value }>();
  return (context) => {
    const known = values.get(context);
    if (known !== undefined) return known.value;
    const value = make(context);
    values.set(context, { value });
    return value;
  };
}
