import { type FieldNode, Kind, type ValueNode } from 'graphql';
import { AppError } from '../platform/errors.ts';
import { totalOf, type Weighed, wholePoints } from './cost.ts';
import { type GivenSize, LIST_SIZE_MAX, largest } from './cost-size.ts';
import type { SelectedField, Skeleton } from './cost-skeleton.ts';

/** Changes that belong together: after all of them the operation costs no more than it may. */
export type Hint = { readonly changes: readonly Change[]; readonly cost: number };

export type Change =
  | { readonly kind: 'size'; readonly lever: Lever; readonly from: number; readonly to: number }
  | { readonly kind: 'omission'; readonly nodes: readonly FieldNode[]; readonly path: string };

/** One number, or one list, that a client can make smaller; it may give their size to several fields. */
export type Lever = {
  /** Of the argument, or of the field of its input object. */
  readonly name: string;
  /** Where it first has an effect, as names in the answer. */
  readonly path: string;
  readonly value: number;
  /** Where it stands in the request: in a variable, or at a field of the document, given or by default. */
  readonly place: Place;
  /** By the index of the field: which of its sizes it is. */
  readonly effects: ReadonlyMap<number, readonly string[]>;
};

/** `nodes` stand for one another: execution merges them somewhere, so they must stay alike. */
type Place =
  | { readonly variable: string; readonly path: readonly string[] }
  | { readonly nodes: readonly FieldNode[]; readonly path: readonly string[] };

/** So many are tried, those with the largest numbers first: a document has hardly more, and each takes a few evaluations. */
const LEVERS_MAX = 32;
/** Nobody writes more by hand; finding a change for fragments that multiply each other would be work for the one who attacks. */
const SELECTIONS_MAX = 300;
const HALVINGS = 20;
/** To find the size of one list takes so many evaluations at most, of which each looks at every field. */
const EVALUATIONS_PER_LEVER = 9;
/** Fields that are looked at: some milliseconds. */
const WORK_MAX = 60_000;

/**
 * The smallest change by which an operation that is too expensive would pass: one list made shorter by the least, else several in the same
 * proportion, else one field left out. Null when none of these is enough, and for documents for which that would be too much work.
 */
export function hintFor(weighed: Weighed, limit: number): Hint | null {
  if (weighed.skeleton.selections.length > SELECTIONS_MAX) return null;
  const levers = leversOf(weighed)
    .sort((a, b) => b.value - a.value)
    .slice(0, LEVERS_MAX);
  const { length } = weighed.skeleton.fields;
  if ((levers.length * EVALUATIONS_PER_LEVER + HALVINGS + length) * length > WORK_MAX) return null;
  return shorten(weighed, levers, limit) ?? shortenAll(weighed, levers, limit) ?? omit(weighed, limit);
}

/** As it is told: "first: 100 → 34 at viewer.conversations". */
export function describeHint({ changes }: Hint): string {
  const places = new Map<string, string[]>();
  for (const change of changes) {
    if (change.kind === 'omission') return `leave out ${change.path}`;
    const { lever, from, to } = change;
    const place = 'variable' in lever.place ? `in $${lever.place.variable}` : `at ${lever.path}`;
    const text = `${lever.name}: ${from} → ${to}`;
    places.set(text, [...(places.get(text) ?? []), place]);
  }
  const texts = [...places].map(([text, [first, ...more]]) => `${text} ${first}${more.length === 0 ? '' : ` and ${more.length} more`}`);
  return texts.join(', ');
}

/** What an operation that costs more than it may is answered. */
export function costLimitExceeded(weighed: Weighed, limit: number): AppError {
  const hint = hintFor(weighed, limit);
  const cost = wholePoints(weighed.total);
  const text = hint === null ? null : describeHint(hint);
  const message = `An operation must cost at most ${limit} points, got ${cost}.${text === null ? '' : ` This would do: ${text}.`}`;
  return new AppError('COST_LIMIT_EXCEEDED', message, { cost, limit, hint: text });
}

/** One of them alone, that which keeps the largest part of its size. */
function shorten(weighed: Weighed, levers: readonly Lever[], limit: number): Hint | null {
  let best: { readonly lever: Lever; readonly to: number; readonly cost: number } | null = null;
  for (const lever of levers) {
    const to = largestWithin(Math.min(lever.value, LIST_SIZE_MAX) - 1, (size) => costWith(weighed, new Map([[lever, size]])) <= limit);
    if (to === null || (best !== null && to / lever.value <= best.to / best.lever.value)) continue;
    best = { lever, to, cost: costWith(weighed, new Map([[lever, to]])) };
  }
  return best && { changes: [{ kind: 'size', lever: best.lever, from: best.lever.value, to: best.to }], cost: best.cost };
}

/** All to the same part of their size; those whose change turns out to be needless keep theirs. */
function shortenAll(weighed: Weighed, levers: readonly Lever[], limit: number): Hint | null {
  const scaled = (part: number) =>
    new Map(levers.map((lever) => [lever, Math.max(1, Math.floor(Math.min(lever.value, LIST_SIZE_MAX) * part))]));
  if (levers.length === 0 || costWith(weighed, scaled(0)) > limit) return null;
  let [enough, tooMuch] = [0, 1];
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (enough + tooMuch) / 2;
    if (costWith(weighed, scaled(middle)) <= limit) enough = middle;
    else tooMuch = middle;
  }
  const sizes = scaled(enough);
  for (const [lever, size] of [...sizes].toReversed()) {
    sizes.delete(lever);
    if (costWith(weighed, sizes) > limit) sizes.set(lever, size);
  }
  const changes = levers.flatMap((lever): Change[] => {
    const to = sizes.get(lever);
    return to === undefined ? [] : [{ kind: 'size', lever, from: lever.value, to }];
  });
  return { changes, cost: costWith(weighed, sizes) };
}

/** The field that costs the least of those that cost enough. */
function omit({ skeleton, measures }: Weighed, limit: number): Hint | null {
  const paths = pathsOf(skeleton.root.fields);
  let best: { readonly alike: Alike; readonly cost: number } | null = null;
  for (const alike of alikeOf(skeleton)) {
    const cost = totalOf(skeleton, measures, new Set(alike.fields.map(({ index }) => index)));
    if (cost <= limit && (best === null || cost > best.cost)) best = { alike, cost };
  }
  if (best === null) return null;
  const { nodes, fields } = best.alike;
  const path = fields.map(({ index }) => paths.get(index)).find((each) => each !== undefined) ?? '';
  return { changes: [{ kind: 'omission', nodes, path }], cost: best.cost };
}

/** The largest from 1 up to `max` that passes, where all smaller ones pass as well; null when 1 does not. */
function largestWithin(max: number, passes: (size: number) => boolean): number | null {
  if (max < 1 || !passes(1)) return null;
  let [enough, tooMuch] = [1, max + 1];
  while (tooMuch - enough > 1) {
    const middle = Math.floor((enough + tooMuch) / 2);
    if (passes(middle)) enough = middle;
    else tooMuch = middle;
  }
  return enough;
}

function costWith({ skeleton, measures }: Weighed, sizes: ReadonlyMap<Lever, number>): number {
  const changed = [...measures];
  for (const index of new Set([...sizes.keys()].flatMap(({ effects }) => [...effects.keys()]))) {
    const measured = measures[index];
    if (measured === undefined) continue;
    const given: readonly GivenSize[] = measured.given.map((each) => {
      for (const [{ effects }, value] of sizes) if (effects.get(index) === each.path) return { ...each, value };
      return each;
    });
    changed[index] = { ...measured, given, size: largest(given) ?? measured.size };
  }
  return totalOf(skeleton, changed);
}

/** Everything in the request that says how long a list is. */
function leversOf({ skeleton, measures }: Weighed): Lever[] {
  const paths = pathsOf(skeleton.root.fields);
  const levers = new Map<string, Lever & { readonly effects: Map<number, readonly string[]> }>();
  for (const [number, { nodes, fields }] of alikeOf(skeleton).entries()) {
    for (const { index, key: name } of fields) {
      for (const { path, value } of measures[index]?.given ?? []) {
        const place = placeOf(nodes, path);
        const key = 'variable' in place ? `$${[place.variable, ...place.path].join('.')}` : `${number} ${path.join('.')}`;
        const lever = levers.get(key) ?? { name: path.join('.'), path: paths.get(index) ?? name, value, place, effects: new Map() };
        lever.effects.set(index, path);
        levers.set(key, lever);
      }
    }
  }
  return [...levers.values()];
}

/** Follows an argument to the variable that it comes from, if it comes from one. */
function placeOf(nodes: Alike['nodes'], path: readonly string[]): Place {
  let value: ValueNode | undefined = nodes[0].arguments?.find(({ name }) => name.value === path[0])?.value;
  for (let depth = 1; value !== undefined; depth += 1) {
    if (value.kind === Kind.VARIABLE) return { variable: value.name.value, path: path.slice(depth) };
    if (value.kind !== Kind.OBJECT) break;
    value = value.fields.find(({ name }) => name.value === path[depth])?.value;
  }
  return { nodes, path };
}

/** Fields that stand at the same places of the document, and at places that are merged with these. */
type Alike = { readonly nodes: readonly [FieldNode, ...FieldNode[]]; readonly fields: readonly SelectedField[] };

function alikeOf({ fields }: Skeleton): readonly Alike[] {
  const groups = new Map<FieldNode, { readonly nodes: [FieldNode, ...FieldNode[]]; readonly fields: SelectedField[] }>();
  for (const field of fields) {
    const [first, ...others] = new Set(field.nodes.flatMap((node) => groups.get(node) ?? []));
    const group = first ?? { nodes: [field.nodes[0]], fields: [] };
    for (const other of others) {
      group.fields.push(...other.fields);
      for (const node of other.nodes) if (!group.nodes.includes(node)) group.nodes.push(node);
    }
    group.fields.push(field);
    for (const node of field.nodes) if (!group.nodes.includes(node)) group.nodes.push(node);
    for (const node of group.nodes) groups.set(node, group);
  }
  return [...new Set(groups.values())];
}

/** The first way to each field, by its index. */
function pathsOf(fields: readonly SelectedField[], above = '', paths = new Map<number, string>()): ReadonlyMap<number, string> {
  for (const { index, key, branches } of fields) {
    if (paths.has(index)) continue;
    const path = above === '' ? key : `${above}.${key}`;
    paths.set(index, path);
    for (const { selection } of branches) pathsOf(selection.fields, path, paths);
  }
  return paths;
}
