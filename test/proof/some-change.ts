import type { Random } from '../../src/seed/random.ts';
import { bodyOf } from './content.ts';
import type { Changing } from './witness.ts';

const EMOJI = ['👍', '🎉', '👀', '❤️'];

/** Something that may be done to a message: by its author, or by anybody in the conversation. `content`: for an edit. */
export function someChange(
  random: Random,
  message: string,
  { isAuthor, content }: { isAuthor: boolean; content: string },
): Omit<Changing, 'conversation'> {
  if (isAuthor && random.chance(0.1)) return { message, change: 'delete', mutation: 'deleteMessage', input: { messageId: message } };
  if (isAuthor && random.chance(0.4))
    return { message, change: 'edit', mutation: 'editMessage', input: { messageId: message, body: bodyOf(content) }, content };
  const emoji = random.one(EMOJI);
  return random.one<Omit<Changing, 'conversation'>>([
    { message, change: 'react', mutation: 'addReaction', input: { messageId: message, emoji } },
    { message, change: 'unreact', mutation: 'removeReaction', input: { messageId: message, emoji } },
    { message, change: 'pin', mutation: 'pinMessage', input: { messageId: message } },
    { message, change: 'unpin', mutation: 'unpinMessage', input: { messageId: message } },
  ]);
}
