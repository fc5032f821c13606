/**
 * What is known about objects besides what they say, as in a WeakMap; but it stands on the object itself, hidden, and goes with it. The values of a
 * WeakMap live until all of the memory has been looked through, and so do its keys if they know them: of each request everything would grow old.
 * For objects that are not frozen.
 */
export class SideTable<Key extends object, Value> {
  readonly #place = Symbol('side table');

  get(key: Key): Value | undefined {
    // What has another as its prototype is another. Only `set` puts something there.
    return Object.hasOwn(key, this.#place) ? (key as { readonly [place: symbol]: Value })[this.#place] : undefined;
  }

  set(key: Key, value: Value): void {
    // Copies of the object do not have it.
    Object.defineProperty(key, this.#place, { value, enumerable: false, writable: true, configurable: true });
  }
}
