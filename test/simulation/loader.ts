import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import type { Mutant } from './mutants.ts';

const ROOT = new URL('../../', import.meta.url);
/** The files that are simulated and ask for them. */
const ASKING = ['src/graphql/broadcast.ts', 'src/platform/rate-limit-shared.ts'].map((file) => new URL(file, ROOT).href);
const IMMEDIATES = new URL('immediates.ts', import.meta.url).href;

/** The text of a file with a mutant in it. Throws when the mutant does not fit. */
export function mutate({ name, file, find, replace }: Mutant): string {
  const text = readFileSync(new URL(file, ROOT), 'utf8');
  const [before, after, ...more] = text.split(find);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`The mutant "${name}" must find its place in ${file} exactly once, found it ${text.split(find).length - 1} times.`);
  return before + replace + after;
}

const OURS = [new URL('src/', ROOT).href, new URL('test/', ROOT).href];
let generation = 0;
let target: string | null = null;
let source = '';

/**
 * From here on what is imported has the mutant in it, and takes its immediates from the clock of the simulation. Before the first time nothing of
 * src may have been loaded; after each further time everything of ours is loaded anew.
 */
export function loadWith(mutant: Mutant | null): void {
  const isInCode = mutant !== null && !mutant.file.endsWith('.sql');
  target = isInCode ? new URL(mutant.file, ROOT).href : null;
  source = isInCode ? mutate(mutant) : '';
  generation += 1;
  if (generation > 1) return;
  registerHooks({
    resolve(specifier, context, next) {
      const isOurs = specifier === 'node:timers/promises' && ASKING.includes(context.parentURL?.split('?')[0] ?? '');
      if (isOurs) return { url: `${IMMEDIATES}${suffix()}`, shortCircuit: true };
      const resolved = next(specifier, context);
      return OURS.some((place) => resolved.url.startsWith(place)) ? { ...resolved, url: `${resolved.url}${suffix()}` } : resolved;
    },
    load(url, context, next) {
      const loaded = next(url, context);
      return url.split('?')[0] === target ? { ...loaded, source } : loaded;
    },
  });
}

function suffix(): string {
  return generation === 1 ? '' : `?${generation}`;
}
