export type Splice = {
  /** Stands for a payload whose JSON is known, in a message that is made into JSON. */
  payload(text: string): { readonly data: null };
  /** Puts it in its place, into the JSON of the message that it stood in; other messages are left as they are. */
  into(message: string): string;
};

/** What the payload is, until it is put in: the last thing in its message, so that only the end has to be looked at. */
const PLACE = '0}';

/**
 * Puts JSON that was made once for many into the messages of one socket, which differ in the id of their operation only. The protocol's
 * library turns a message into JSON and sends it in one go: between the two calls here nothing else of this socket can come.
 */
export function createSplice(): Splice {
  let pending: string | null = null;
  return {
    payload: (text) => ({
      data: null,
      toJSON() {
        pending = text;
        return 0;
      },
    }),
    into(message) {
      if (pending === null) return message;
      const text = pending;
      pending = null;
      if (!message.endsWith(PLACE)) throw new Error('A payload must be the last part of its message.');
      return `${message.slice(0, -PLACE.length)}${text}}`;
    },
  };
}
