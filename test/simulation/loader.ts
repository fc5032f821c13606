import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutants.ts';

const ROOT = new URL('../../', import.meta.url);
/** The one file that is simulated and asks for them. */
const BROADCAST = new URL('src/graphql/broadcast.ts', ROOT).href;
const IMMEDIATES = new URL('immediates.ts', import.meta.url).href;

/** The text of a file with a mutant in it. Throws when the mutant does not fit. */
export function mutate({ name, file, find, replace }: Mutant): string {
  const text = readFileSync(new URL(file, ROOT), 'utf8');
  const [before, after, ...more] = text.split(find);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`The mutant "${name}" must find its place in ${file} exactly once, found it ${text.split(find).length - 1} times.`);
  return before + replace + after;
}

/**
 * From here on what is loaded has the mutant in it, and takes its immediates from the clock of the simulation. Nothing of src may have been loaded
 * before.
 */
export function loadWith(mutant: Mutant | null): void {
  const target = mutant === null ? null : new URL(mutant.file, ROOT).href;
  const source = mutant === null ? '' : mutate(mutant);
  registerHooks({
    resolve(specifier, context, next) {
      const isOurs = specifier === 'node:timers/promises' && context.parentURL === BROADCAST;
      return isOurs ? { url: IMMEDIATES, shortCircuit: true } : next(specifier, context);
    },
    load(url, context, next) {
      const loaded = next(url, context);
      return url === target ? { ...loaded, source } : loaded;
    },
  });
}

export function fileOf(mutant: Mutant): string {
  return fileURLToPath(new URL(mutant.file, ROOT));
}
