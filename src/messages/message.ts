import type { User } from '../identity/user.ts';
import { badInput } from '../platform/errors.ts';
import { checkText } from '../platform/text.ts';

export type Message = {
  readonly conversationKey: number;
  readonly conversationUuid: string;
  /** Of its creation: with the conversation it is the message's key. */
  readonly sequence: number;
  /** 1, 2, 3 … in its conversation, without holes. */
  readonly position: number;
  readonly author: User;
  readonly clientMessageId: string;
  /** As written (Markdown); null once deleted. */
  readonly body: string | null;
  readonly replyToSequence: number | null;
  readonly createdAt: Date;
  readonly editedAt: Date | null;
  readonly deletedAt: Date | null;
};

export const BODY_LENGTH_MAX = 16_384;

/** A body as it is stored: as written, as long as it says something. Length in Unicode code points. */
export function checkBody(body: string): string {
  checkText('input.body', 'Message body', body, { lengthMin: 1, lengthMax: BODY_LENGTH_MAX, allowsLineBreaks: true });
  if (body.trim() === '') throw badInput('input.body', 'Message body must hold more than white space.');
  return body;
}
