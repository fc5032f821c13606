import { type ExecutionArgs, type GraphQLSchema, getOperationAST } from 'graphql';
import { costRulesOf } from './cost-rules.ts';
import { type Measure, measure } from './cost-size.ts';
import { areRowsSeen, createSkeletonCache, SELECTIONS_MAX, type Selection, type Skeleton } from './cost-skeleton.ts';
import { refusal } from './errors.ts';
import { variableValues as valuesOf } from './variable-values.ts';

/** An operation with the values of its variables, and what it costs at most. */
export type Weighed = {
  readonly skeleton: Skeleton;
  /** By the index of the field. */
  readonly measures: readonly Measure[];
  readonly costs: Costs;
  readonly total: number;
};

/** Of each selection by its index: what it costs by itself, and what for each element of the lists that the field above it gave a size. */
export type Costs = { readonly fixed: Float64Array; readonly perElement: Float64Array };

/** Null for what execution refuses by itself, before anything is read: variables that do not fit, an operation that is not there. */
export type Weigh = (operation: Pick<ExecutionArgs, 'document' | 'operationName' | 'variableValues'>) => Weighed | null;

/**
 * What operations cost before they run, by the IBM cost directives: `cost(field) = weight + inputs + size × (weight of the object + Σ cost of
 * what is selected of it)`, with the dearest type where it is open. Weights and sizes are as `@cost` and `@listSize` say; an object is 1, all
 * else nothing. A page of which none of the sized lists is selected is read all the same: `size` is added. Fields are merged as execution merges them, so a repetition is free and an alias is not. Only the operation that runs counts.
 *
 * What variables do not change is remembered with the document; what they come to, and whether that is too much, is worked out each time.
 * GRAPHQL_VALIDATION_FAILED for a document of more than SELECTIONS_MAX different selections.
 */
export function createWeigh(schema: GraphQLSchema): Weigh {
  const rules = costRulesOf(schema);
  const skeletonOf = createSkeletonCache(rules);
  const constants = new WeakMap<Skeleton, readonly (Measure | null)[]>();
  /** The same operation comes again, most of the time with other values but the same sizes. */
  const lastWeighed = new WeakMap<Skeleton, Weighed>();

  function constantsOf(skeleton: Skeleton): readonly (Measure | null)[] {
    const known = constants.get(skeleton) ?? skeleton.fields.map((field) => (field.isVariable ? null : measure(rules, field, {})));
    constants.set(skeleton, known);
    return known;
  }

  return ({ document, operationName, variableValues }) => {
    const operation = getOperationAST(document, operationName) ?? null;
    if (operation === null) return null;
    const { variables } = valuesOf(schema, operation, variableValues);
    if (variables === null) return null;
    const skeleton = skeletonOf(document, operation, variables);
    if (skeleton === null)
      throw refusal('GRAPHQL_VALIDATION_FAILED', `A document must make at most ${SELECTIONS_MAX} different selections, got more.`);
    const constant = constantsOf(skeleton);
    const measures = skeleton.fields.map((field, index) => constant[index] ?? measure(rules, field, variables));
    const last = lastWeighed.get(skeleton);
    if (last !== undefined && measures.every((each, index) => isSame(each, last.measures[index]))) return last;
    const costs = costsOf(skeleton, measures);
    const weighed = { skeleton, measures, costs, total: costOfRoot(skeleton, costs) };
    lastWeighed.set(skeleton, weighed);
    return weighed;
  };
}

function isSame(one: Measure, other: Measure | undefined): boolean {
  if (one === other) return true;
  return (
    other !== undefined &&
    one.size === other.size &&
    one.inputs === other.inputs &&
    one.given.length === other.given.length &&
    one.given.every(({ path, value }, index) => path === other.given[index]?.path && value === other.given[index].value)
  );
}

/** As it is told: the largest number that the schema can tell stands for all beyond. */
export function wholePoints(cost: number): number {
  return Math.min(Math.ceil(cost), POINTS_MAX);
}

const POINTS_MAX = 2 ** 31 - 1;

/** With other sizes than those it has, and without some of its fields: what it would cost. */
export function totalOf(
  skeleton: Skeleton,
  measures: readonly Pick<Measure, 'size' | 'inputs'>[],
  without: ReadonlySet<number> = NONE,
): number {
  return costOfRoot(skeleton, costsOf(skeleton, measures, without));
}

const NONE: ReadonlySet<number> = new Set();

function costOfRoot({ root }: Skeleton, { fixed }: Costs): number {
  return fixed[root.index] ?? 0;
}

/** Points of a row that is read and not shown. */
export const UNSEEN_ROW = 1;

function hasUnseenRows({ fields, isSized, hasUnseenRows }: Selection, without: ReadonlySet<number>): boolean {
  return without.size === 0 || !isSized ? hasUnseenRows : !areRowsSeen(fields.filter(({ index }) => !without.has(index)));
}

/** Each selection once, those below before those above; so the time is that of the skeleton, whatever the cost. */
function costsOf(skeleton: Skeleton, measures: readonly Pick<Measure, 'size' | 'inputs'>[], without = NONE): Costs {
  const fixed = new Float64Array(skeleton.selections.length);
  const perElement = new Float64Array(skeleton.selections.length);
  for (const selection of skeleton.selections) {
    const { index, fields } = selection;
    if (hasUnseenRows(selection, without)) perElement[index] = UNSEEN_ROW;
    for (const field of fields) {
      if (without.has(field.index)) continue;
      const { size = 0, inputs = 0 } = measures[field.index] ?? {};
      let each = field.leafWeight;
      for (const { weight, selection } of field.branches) {
        const below = (fixed[selection.index] ?? 0) + (perElement[selection.index] ?? 0) * size;
        each = Math.max(each, weight + below);
      }
      const call = field.rule.weight + inputs;
      if (field.isSizedAbove) perElement[index] = (perElement[index] ?? 0) + each;
      fixed[index] = (fixed[index] ?? 0) + call + (field.isSizedAbove ? 0 : field.rule.isList ? size * each : each);
    }
  }
  return { fixed, perElement };
}
