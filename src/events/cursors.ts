import { createHash } from 'node:crypto';
import type { CursorCodec } from '../platform/cursor.ts';
import { dropOldest } from '../platform/drop-oldest.ts';
import { AppError } from '../platform/errors.ts';
import type { ViewerCursor } from './resume-changes.ts';

export type ConversationPlace = { readonly sequence: number; readonly atUs: number };

/**
 * The cursors of streams. One of a conversation is {epoch, sequence, time of that change}: bound to the conversation, not to who
 * reads it. One of viewerEvents is {epoch, lowest unfinished transaction}, with the place of a replay that was cut.
 */
export type EventCursors = {
  conversation(uuid: string, place: ConversationPlace): string;
  viewer(cursor: ViewerCursor): string;
  /** BAD_USER_INPUT for a forged cursor or another stream's, CURSOR_EXPIRED for one of another epoch. */
  readConversation(uuid: string, cursor: string): ConversationPlace;
  readViewer(cursor: string): ViewerCursor;
};

const VIEWER_STREAM = 'events';
/** Cursors of conversations that are remembered: the sender of a change and all its listeners ask for the same one, within moments. */
const RECENT_MAX = 1_024;

export function createEventCursors({ codec, epoch }: { readonly codec: CursorCodec; readonly epoch: string }): EventCursors {
  const epochNumber = createHash('sha256').update(epoch).digest().readUInt32BE(0);

  function decode(stream: string, cursor: string): readonly number[] {
    const [found, ...numbers] = codec.decode('after', stream, cursor).map(Number);
    if (found !== epochNumber) throw expiredCursor();
    return numbers;
  }

  const recent = new Map<string, string>();

  return {
    conversation(uuid, { sequence, atUs }) {
      const key = `${uuid}:${sequence}:${atUs}`;
      const known = recent.get(key);
      if (known !== undefined) return known;
      const cursor = codec.encode(`events:${uuid}`, [epochNumber, sequence, atUs]);
      recent.set(key, cursor);
      dropOldest(recent, RECENT_MAX);
      return cursor;
    },
    viewer: ({ xmin, cut }) =>
      codec.encode(VIEWER_STREAM, cut === null ? [epochNumber, xmin] : [epochNumber, xmin, cut.xminNext, cut.key, cut.sequence]),
    readConversation(uuid, cursor) {
      const [sequence = 0, atUs = 0] = decode(`events:${uuid}`, cursor);
      return { sequence, atUs };
    },
    readViewer(cursor) {
      const [xmin = 0, xminNext, key, sequence] = decode(VIEWER_STREAM, cursor);
      return { xmin, cut: xminNext === undefined || key === undefined || sequence === undefined ? null : { xminNext, key, sequence } };
    },
  };
}

export function expiredCursor(): AppError {
  return new AppError(
    'CURSOR_EXPIRED',
    'The cursor belongs to an earlier copy of the database: read the conversations again and subscribe from their new cursor.',
  );
}
