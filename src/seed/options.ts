export type SeedOptions = {
  readonly messages: number;
  readonly people: number;
  readonly conversations: number;
  /** Of the content: the same seed and sizes make the same content. */
  readonly seed: number;
  /** Said by who means it: in production people are made who can be signed in by nobody. */
  readonly isMeantForProduction: boolean;
};

const PRODUCTION = '--yes-in-production';
/** By option: the smallest and the largest number it takes. */
const RANGES = {
  messages: [1, 10_000_000],
  people: [2, 100_000],
  conversations: [1, 100_000],
  seed: [0, Number.MAX_SAFE_INTEGER],
} as const;
type Name = keyof typeof RANGES;

const MESSAGES = 10_000;

export const SEED_USAGE = `Usage: rookery seed [options]

  --messages N        messages in all, 1 to 10000000 (${MESSAGES})
  --people N          who write them, 2 to 100000 (the root of the messages, 10 to 1000)
  --conversations N   1 to 100000 (one for each hundred messages, 5 to 5000)
  --seed N            of the content: the same number makes the same content (1)
  ${PRODUCTION}   with NODE_ENV=production: make them all the same, without passwords
`;

/** From the words after the command. Throws an Error that says what was expected and what came. */
export function readSeedOptions(words: readonly string[]): SeedOptions {
  const given: { -readonly [Each in Name]?: number } = {};
  let isMeantForProduction = false;
  for (let at = 0; at < words.length; at += 1) {
    const [option = '', inline] = splitOnce(words[at] ?? '');
    if (option === PRODUCTION && inline === undefined) {
      isMeantForProduction = true;
      continue;
    }
    const name = nameOf(option);
    if (name === null)
      throw new Error(`An option must be one of ${optionNames().join(', ')}, got ${JSON.stringify(words[at])}.\n\n${SEED_USAGE}`);
    if (given[name] !== undefined) throw new Error(`${option} must be given once.`);
    if (inline === undefined) at += 1;
    given[name] = whole(option, inline ?? words[at], RANGES[name]);
  }
  const messages = given.messages ?? MESSAGES;
  return {
    messages,
    people: given.people ?? between(10, Math.ceil(Math.sqrt(messages)), 1_000),
    conversations: given.conversations ?? between(5, Math.ceil(messages / 100), 5_000),
    seed: given.seed ?? 1,
    isMeantForProduction,
  };
}

function optionNames(): readonly string[] {
  return [...Object.keys(RANGES).map((name) => `--${name}`), PRODUCTION];
}

function nameOf(option: string): Name | null {
  const name = option.startsWith('--') ? option.slice(2) : '';
  return Object.hasOwn(RANGES, name) ? (name as Name) : null; // It is one of their keys.
}

function splitOnce(word: string): readonly [string, string?] {
  const at = word.indexOf('=');
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

function whole(option: string, text: string | undefined, [min, max]: readonly [number, number]): number {
  const value = Number(text);
  if (text === undefined || !/^\d+$/.test(text) || value < min || value > max)
    throw new Error(
      `${option} must be a whole number from ${min} to ${max}, got ${text === undefined ? 'nothing' : JSON.stringify(text)}.`,
    );
  return value;
}

function between(min: number, value: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
