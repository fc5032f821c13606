import { badInput } from '../platform/errors.ts';
import { quoted } from '../platform/text.ts';

const EMOJI_BYTES_MAX = 32;
/** Different ones on one message. */
export const EMOJI_PER_MESSAGE_MAX = 20;

/** A pictograph, a flag or a keycap, with whatever modifies or joins it. */
const PICTOGRAPH = /\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3/u;
/** A product's own, by its name. */
const SHORTCODE = /^:[a-z0-9_+-]{1,30}:$/;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** One emoji, as Unicode knows it or by a name between colons such as `:shipit:`. BAD_USER_INPUT for all else. */
export function checkEmoji(emoji: string): string {
  const bytes = Buffer.byteLength(emoji);
  const isEmoji = bytes >= 1 && bytes <= EMOJI_BYTES_MAX && emoji.isWellFormed() && (SHORTCODE.test(emoji) || isOneGrapheme(emoji));
  if (isEmoji) return emoji;
  throw badInput(
    'input.emoji',
    `emoji must be one emoji such as "👍", or a name such as ":shipit:", of at most ${EMOJI_BYTES_MAX} bytes, got ${quoted(emoji)} (${bytes} bytes).`,
  );
}

function isOneGrapheme(text: string): boolean {
  return PICTOGRAPH.test(text) && [...graphemes.segment(text)].length === 1;
}
