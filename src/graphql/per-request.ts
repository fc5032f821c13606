import { SideTable } from '../platform/side-table.ts';
import type { Context } from './context.ts';

/**
 * Makes one value per request, on first use, and lets it go with the request: how a loader lives beside its resolver while
 * `Context` knows nothing of it. In a subscription every event has a context of its own, so its loaders start empty.
 */
export function perRequest<Value>(make: (context: Context) => Value): (context: Context) => Value {
  return oncePer(make);
}

/** Makes one value for each key, on first use, and lets it go with the key. */
export function oncePer<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const values = new SideTable<Key, { readonly value: Value }>();
  return (key) => {
    const known = values.get(key);
    if (known !== undefined) return known.value;
    const value = make(key);
    values.set(key, { value });
    return value;
  };
}
