import type { CursorCodec, CursorPayload } from '../platform/cursor.ts';
import type { Edge } from './connection.ts';

/** The edges of a page whose places are numbers. All of their cursors are made when the first is asked for: one by one would take far longer. */
export function numberedEdges<Node>(
  codec: CursorCodec,
  list: string,
  nodes: readonly Node[],
  numberOf: (node: Node) => number,
): readonly Edge<Node>[] {
  const cursors = new PageCursors(codec, list, nodes.map(numberOf));
  return nodes.map((node, index) => new NumberedEdge(cursors, index, node));
}

class PageCursors {
  readonly #codec: CursorCodec;
  readonly #list: string;
  readonly #numbers: readonly number[];
  #made: readonly string[] | null = null;

  constructor(codec: CursorCodec, list: string, numbers: readonly number[]) {
    this.#codec = codec;
    this.#list = list;
    this.#numbers = numbers;
  }

  at(index: number): string {
    this.#made ??= this.#codec.encodeEach(this.#list, this.#numbers);
    return this.#made[index] ?? '';
  }
}

class NumberedEdge<Node> implements Edge<Node> {
  readonly node: Node;
  readonly #cursors: PageCursors;
  readonly #index: number;

  constructor(cursors: PageCursors, index: number, node: Node) {
    this.node = node;
    this.#cursors = cursors;
    this.#index = index;
  }

  get cursor(): string {
    return this.#cursors.at(this.#index);
  }
}

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
