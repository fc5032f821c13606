import type { CursorCodec, CursorPayload } from '../platform/cursor.ts';
import type { Edge } from './connection.ts';

/** An edge whose cursor is only made when it is asked for: signing is most of an edge's cost. */
export function edge<Node>(codec: CursorCodec, list: string, payload: CursorPayload, node: Node): Edge<Node> {
  return {
    node,
    get cursor() {
      return codec.encode(list, payload);
    },
  };
}
