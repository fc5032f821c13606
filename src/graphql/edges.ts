import type { CursorCodec, CursorPayload } from '../platform/cursor.ts';
import type { Edge } from './connection.ts';

/** An edge whose cursor is only made when it is asked for: signing is most of an edge's cost. */
export function edge<Node>(codec: CursorCodec, list: string, payload: CursorPayload, node: Node): Edge<Node> {
  return new LazyEdge(codec, list, payload, node);
}

/** A class, so that edges do not each have a function of their own. */
class LazyEdge<Node> implements Edge<Node> {
  readonly node: Node;
  readonly #codec: CursorCodec;
  readonly #list: string;
  readonly #payload: CursorPayload;

  constructor(codec: CursorCodec, list: string, payload: CursorPayload, node: Node) {
    this.node = node;
    this.#codec = codec;
    this.#list = list;
    this.#payload = payload;
  }

  get cursor(): string {
    return this.#codec.encode(this.#list, this.#payload);
  }
}
