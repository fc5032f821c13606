type Link<Event> = { readonly event: Event; next: Link<Event> | null };

/** First in, first out. An empty one keeps nothing: there may be very many that are empty nearly always. */
export class EventQueue<Event> {
  #first: Link<Event> | null = null;
  #last: Link<Event> | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(event: Event): void {
    const link = { event, next: null };
    if (this.#last === null) this.#first = link;
    else this.#last.next = link;
    this.#last = link;
    this.#length += 1;
  }

  shift(): Event | undefined {
    const link = this.#first;
    if (link === null) return undefined;
    this.#first = link.next;
    if (link.next === null) this.#last = null;
    this.#length -= 1;
    return link.event;
  }

  clear(): void {
    this.#first = null;
    this.#last = null;
    this.#length = 0;
  }
}
