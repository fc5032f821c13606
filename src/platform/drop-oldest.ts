/** To be called after each addition to what holds so many at most. Maps and sets are in the order of insertion. */
export function dropOldest<Key>(
  collection: { readonly size: number; keys(): Iterator<Key>; delete(key: Key): boolean },
  sizeMax: number,
): void {
  if (collection.size <= sizeMax) return;
  const { value, done } = collection.keys().next();
  if (done !== true) collection.delete(value);
}
