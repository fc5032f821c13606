import { readWholeOptions } from '../kit/whole-options.ts';
import { FAULT_NAMES } from './faults.ts';

export type ChaosWords = { readonly seconds: number; readonly seed: number; readonly faults: readonly string[] };

/** `--seconds 120 --seed 7 --faults kill:node,cut:redis`, each of which may be left out. Throws an Error that says what was expected and what came. */
export function readChaosOptions(words: readonly string[]): ChaosWords {
  const at = words.indexOf('--faults');
  const rest = at < 0 ? words : [...words.slice(0, at), ...words.slice(at + 2)];
  const faults = at < 0 ? FAULT_NAMES : (words[at + 1] ?? '').split(',');
  const unknown = faults.filter((name) => !FAULT_NAMES.includes(name));
  if (unknown.length > 0)
    throw new Error(`--faults must be some of ${FAULT_NAMES.join(', ')}, got ${unknown.map((name) => JSON.stringify(name)).join(', ')}.`);
  return { ...readWholeOptions(rest, { seconds: 120, seed: 1 }), faults };
}
