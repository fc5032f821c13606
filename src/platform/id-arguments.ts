import { badInput } from './errors.ts';
import { decodeId, decodeNodeId } from './id.ts';

const SHOWN_LENGTH_MAX = 64;

/** The public ids that clients give, decoded; BAD_USER_INPUT with the field's name when it is not an id of the kind. */
export function conversationUuid(field: string, id: string): string {
  return decodeId('cnv', id) ?? refuse(field, 'a conversation', 'cnv_', id);
}

export function userUuid(field: string, id: string): string {
  return decodeId('usr', id) ?? refuse(field, 'a user', 'usr_', id);
}

export function sessionUuid(field: string, id: string): string {
  return decodeId('ses', id) ?? refuse(field, 'a session', 'ses_', id);
}

export function messageRef(field: string, id: string): { readonly conversationUuid: string; readonly sequence: number } {
  const node = decodeNodeId(id);
  return node?.type === 'Message' ? node : refuse(field, 'a message', 'msg_', id);
}

function refuse(field: string, what: string, prefix: string, id: string): never {
  const shown = JSON.stringify(id.slice(0, SHOWN_LENGTH_MAX));
  throw badInput(
    field,
    `${field.split('.').at(-1)} must be the id of ${what} (${prefix}…), got ${shown}${id.length > SHOWN_LENGTH_MAX ? ` … (${id.length} characters)` : ''}.`,
  );
}
