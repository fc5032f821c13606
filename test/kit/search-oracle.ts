/**
 * What a search must find, in other words than those of the server: each body is looked through from its beginning to its end. Only for the
 * scripts of the texts that it is used on.
 */
export class SearchOracle<Item extends { readonly body: string }> {
  readonly #items: readonly { readonly item: Item; readonly text: string }[];

  constructor(items: readonly Item[]) {
    this.#items = items.map((item) => ({ item, text: plain(item.body) }));
  }

  find(wanted: readonly string[], unwanted: readonly string[] = []): readonly Item[] {
    const [these, not] = [wanted.map(plain), unwanted.map(plain)];
    return this.#items
      .filter(({ text }) => these.every((term) => holds(text, term)) && !not.some((term) => holds(text, term)))
      .map(({ item }) => item);
  }
}

/**
 * Two letters begin a word, one is a word; what is longer, or of dense script or emoji, may stand anywhere. The signs beside so few letters are
 * wanted, too, and no part of the word.
 */
function holds(text: string, term: string): boolean {
  if ([...term].length >= 3 || DENSE.test(term)) return text.includes(term);
  const letters = [...term].filter((character) => WORD_BEGIN.test(character)).join('');
  const lead = term.indexOf(letters);
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1)) {
    const isBegun = !WORD_END.test(text.slice(0, at + lead));
    if (isBegun && ([...letters].length === 2 || !WORD_BEGIN.test(text.slice(at + lead + letters.length)))) return true;
  }
  return false;
}

const DENSE = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Thai}|\p{Script=Hangul}|ー|\p{Extended_Pictographic}/u;
const WORD_END = /(?:[\p{L}\p{N}\p{M}]|(?![\0-\x7f])\p{S})$/u;
const WORD_BEGIN = /^(?:[\p{L}\p{N}\p{M}]|(?![\0-\x7f])\p{S})/u;
const MARKS =
  /[\u0300-\u036f]|[\u064b-\u065f]|\u0670|[\u20d0-\u20ff]|[\ufe00-\ufe0f]|[\u200b-\u200f]|[\u202a-\u202e]|[\u2060-\u206f]|\ufeff|\xad|\p{Emoji_Modifier}/gu;
const OTHER_LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  ı: 'i',
  ħ: 'h',
  ŧ: 't',
  ŋ: 'n',
  ς: 'σ',
};

function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(MARKS, '')
    .toLowerCase()
    .replaceAll(/[ßæœþøłđðıħŧŋς]/gu, (letter) => OTHER_LETTERS[letter] ?? letter)
    .replaceAll(/[\t-\r\x85\u1680\u2028\u2029]/gu, ' ')
    .normalize('NFC');
}
