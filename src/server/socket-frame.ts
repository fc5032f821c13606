import { SideTable } from '../platform/side-table.ts';
import type { Framed } from './socket-writer.ts';

/** What many are told: JSON that was made once, with the last message that was made of it, which most of them are sent. */
type Shared = { readonly isAscii: boolean; id: string | null; framed: Framed };

const shared = new SideTable<object, Shared>();

/** The protocol's `next`, around a payload that is JSON already. */
export function nextMessage(id: string, payload: string): string {
  return `{"id":${JSON.stringify(id)},"type":"next","payload":${payload}}`;
}

/** The same for a result that answers many: those who chose the same id are sent the very same frame. */
export function sharedNext(result: object, text: string, id: string): Framed {
  let known = shared.get(result);
  if (known === undefined) {
    known = { isAscii: isAscii(text), id: null, framed: { message: '', frame: null } };
    shared.set(result, known);
  }
  if (known.id === id) return known.framed;
  const message = nextMessage(id, text);
  known.framed = { message, frame: known.isAscii && isAscii(id) ? frameOf(message) : null };
  known.id = id;
  return known.framed;
}

/** A final, unmasked text frame (RFC 6455, 5.2), one character for each byte. */
function frameOf(message: string): string {
  const { length } = message;
  if (length < 126) return String.fromCharCode(0x81, length) + message;
  if (length < 0x1_0000) return String.fromCharCode(0x81, 126, length >> 8, length & 255) + message;
  return String.fromCharCode(0x81, 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255) + message;
}

function isAscii(text: string): boolean {
  return !/[^\x20-\x7e]/.test(text);
}
