import {
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  getNullableType,
  isInputObjectType,
  isListType,
} from 'graphql';
import type { CostRules } from './cost-rules.ts';
import type { SelectedField } from './cost-skeleton.ts';
import { refusal } from './errors.ts';
import { argumentValues } from './variable-values.ts';

/** No page is longer; who asks for more is answered BAD_USER_INPUT and given none. */
export const LIST_SIZE_MAX = 100;

/** What the arguments of a field come to. */
export type Measure = {
  /** Of the list that the field is, or of those of the object it answers. */
  readonly size: number;
  /** Points of what is given to it. */
  readonly inputs: number;
  /** By what the size was said: the slicing arguments that have a value. */
  readonly given: readonly GivenSize[];
};

export type GivenSize = { readonly path: readonly string[]; readonly value: number };

type Values = Readonly<Record<string, unknown>>;

/** Whatever way a value comes by (literally, as a variable, in an input object, as a default), it counts the same: as execution sees it. */
export function measure(rules: CostRules, { definition, nodes: [node], rule }: SelectedField, variables: Values): Measure {
  const { listSize, hasWeighedInputs } = rule;
  if (listSize === null && !hasWeighedInputs) return UNSIZED;
  let args: Values;
  try {
    args = argumentValues(definition, node, variables);
  } catch {
    return NOT_CALLED; // Its arguments do not fit: execution says so, and answers nothing.
  }
  const inputs = hasWeighedInputs ? sum(definition.args, (argument) => inputCost(rules, argument, argument.type, args[argument.name])) : 0;
  if (listSize === null) return { ...UNSIZED, inputs };
  const given = listSize.slicingArguments.flatMap((path) => {
    const value = sizeOf(valueAt(args, path));
    return value === null ? [] : [{ path, value }];
  });
  if (listSize.isOneRequired && given.length !== 1) {
    const names = listSize.slicingArguments.map((path) => `"${path.join('.')}"`).join(', ');
    throw refusal('GRAPHQL_VALIDATION_FAILED', `"${definition.name}" must be given exactly one of ${names}, got ${given.length}.`);
  }
  return { size: largest(given) ?? listSize.assumedSize ?? LIST_SIZE_MAX, inputs, given };
}

/** The largest of those given; null when there is none. */
export function largest(given: readonly GivenSize[]): number | null {
  return given.length === 0 ? null : Math.max(...given.map(({ value }) => Math.min(value, LIST_SIZE_MAX)));
}

const UNSIZED: Measure = { size: LIST_SIZE_MAX, inputs: 0, given: [] };
const NOT_CALLED: Measure = { size: 0, inputs: 0, given: [] };

function valueAt(values: Values, path: readonly string[]): unknown {
  let value: unknown = values;
  for (const name of path) value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  return value;
}

function sizeOf(value: unknown): number | null {
  if (Array.isArray(value)) return value.length;
  return typeof value === 'number' ? Math.max(0, value) : null;
}

/** Of what is given: a list by its elements, an object by itself and what is in it. */
function inputCost(rules: CostRules, input: GraphQLArgument | GraphQLInputField, type: GraphQLInputType, value: unknown): number {
  if (value === null || value === undefined) return 0;
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return sum(items, (item) => inputCost(rules, input, nullable.ofType, item));
  }
  const own = rules.weightOf(input) ?? rules.weightOf(nullable) ?? 0;
  if (!isInputObjectType(nullable) || typeof value !== 'object') return own;
  return own + sum(Object.values(nullable.getFields()), (field) => inputCost(rules, field, field.type, Reflect.get(value, field.name)));
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
