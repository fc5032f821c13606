import {
  type ASTNode,
  type DirectiveNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isObjectType,
  valueFromASTUntyped,
} from 'graphql';

/** What `@listSize` says of a field. */
export type ListSize = {
  readonly assumedSize: number | null;
  /** Each as the names that lead to it, such as `input`, `userIds`. */
  readonly slicingArguments: readonly (readonly string[])[];
  readonly sizedFields: readonly string[];
  readonly isOneRequired: boolean;
};

/** What a field says of its cost. */
export type FieldRule = {
  /** Points of one call. */
  readonly weight: number;
  readonly listSize: ListSize | null;
  readonly isList: boolean;
  /** Whether an argument, or something inside of one, has points of its own. */
  readonly hasWeighedInputs: boolean;
};

export type CostRules = {
  readonly schema: GraphQLSchema;
  of(field: Field): FieldRule;
  /** Points of one object of the type; of an input that is given, what it or else its type says. Null: nothing is said. */
  weightOf(weighed: Weighed): number | null;
};

type Field = GraphQLField<unknown, unknown>;
type Weighed = { readonly name: string; readonly astNode?: ASTNode | null | undefined };

const known = new WeakMap<GraphQLSchema, CostRules>();

/** What `@cost` and `@listSize` say, read once per schema. Throws when they say what cannot be. */
export function costRulesOf(schema: GraphQLSchema): CostRules {
  const rules = known.get(schema) ?? readCostRules(schema);
  known.set(schema, rules);
  return rules;
}

function readCostRules(schema: GraphQLSchema): CostRules {
  const weights = new Map<Weighed, number>();
  const fields = new Map<Field, FieldRule>();
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
  const read = (weighed: Weighed) => {
    const weight = readWeight(weighed);
    if (weight !== null) weights.set(weighed, weight);
  };
  for (const type of types) {
    read(type);
    if (isInputObjectType(type)) for (const field of Object.values(type.getFields())) read(field);
    if (isObjectType(type) || isInterfaceType(type))
      for (const field of Object.values(type.getFields())) for (const weighed of [field, ...field.args]) read(weighed);
  }
  for (const type of types) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) fields.set(field, fieldRule(type, field, weights));
  }
  return {
    schema,
    weightOf: (weighed) => weights.get(weighed) ?? null,
    of(field) {
      const rule = fields.get(field);
      if (rule === undefined) throw new Error(`There must be a cost rule for ${field.name}.`);
      return rule;
    },
  };
}

function fieldRule(type: GraphQLNamedType, field: Field, weights: ReadonlyMap<Weighed, number>): FieldRule {
  const coordinate = `${type.name}.${field.name}`;
  const nullable = getNullableType(field.type);
  const isList = isListType(nullable);
  if (isList && isListType(getNullableType(nullable.ofType)))
    throw new Error(`${coordinate} must not be a list of lists: no size would be known.`);
  const listSize = readListSize(field);
  if (listSize !== null) checkListSize(coordinate, field, listSize);
  const hasWeighedInputs = field.args.some((argument) => isWeighed(argument, weights, new Set()));
  return { weight: weights.get(field) ?? 0, listSize, isList, hasWeighedInputs };
}

function isWeighed(input: GraphQLArgument | GraphQLInputField, weights: ReadonlyMap<Weighed, number>, seen: Set<Weighed>): boolean {
  const type = getNamedType(input.type);
  if (weights.has(input) || weights.has(type)) return true;
  if (!isInputObjectType(type) || seen.has(type)) return false;
  seen.add(type);
  return Object.values(type.getFields()).some((field) => isWeighed(field, weights, seen));
}

function checkListSize(coordinate: string, field: Field, { slicingArguments, sizedFields, assumedSize }: ListSize): void {
  if (assumedSize !== null && assumedSize < 0) throw new Error(`assumedSize of ${coordinate} must be 0 or more, got ${assumedSize}.`);
  for (const path of slicingArguments) {
    const type = inputAt(field.args, path);
    if (type === undefined || !(isListType(type) || getNamedType(type).name === 'Int'))
      throw new Error(`slicingArguments of ${coordinate} must be numbers or lists among its arguments, got ${path.join('.')}.`);
  }
  const answered = getNamedType(field.type);
  for (const name of sizedFields) {
    const sized = isCompositeType(answered) && 'getFields' in answered ? answered.getFields()[name] : undefined;
    if (sized === undefined || !isListType(getNullableType(sized.type)))
      throw new Error(`sizedFields of ${coordinate} must be lists of ${answered.name}, got ${name}.`);
  }
}

function inputAt(
  inputs: readonly (GraphQLArgument | GraphQLInputField)[],
  [name, ...rest]: readonly string[],
): GraphQLInputType | undefined {
  const input = inputs.find((each) => each.name === name);
  if (input === undefined) return undefined;
  const type = getNullableType(input.type);
  if (rest.length === 0) return type;
  return isInputObjectType(type) ? inputAt(Object.values(type.getFields()), rest) : undefined;
}

function readWeight({ name, astNode }: Weighed): number | null {
  const given = argumentsOf(astNode, 'cost')?.['weight'];
  if (given === undefined) return null;
  const weight = typeof given === 'string' && given.trim() !== '' ? Number(given) : Number.NaN;
  if (!Number.isFinite(weight) || weight < 0)
    throw new Error(`@cost of ${name} must have a weight of 0 or more, got ${JSON.stringify(given)}.`);
  return weight;
}

function readListSize({ astNode }: Field): ListSize | null {
  const given = argumentsOf(astNode, 'listSize');
  if (given === null) return null;
  const { assumedSize, slicingArguments, sizedFields, requireOneSlicingArgument } = given;
  const slicing = texts(slicingArguments).map((path) => path.split('.'));
  return {
    assumedSize: typeof assumedSize === 'number' ? assumedSize : null,
    slicingArguments: slicing,
    sizedFields: texts(sizedFields),
    isOneRequired: slicing.length > 0 && requireOneSlicingArgument !== false,
  };
}

/** What a directive is given where it stands; its types have been checked with the schema. */
function argumentsOf(node: ASTNode | null | undefined, name: string): Readonly<Record<string, unknown>> | null {
  const directives: readonly DirectiveNode[] = node !== null && node !== undefined && 'directives' in node ? (node.directives ?? []) : [];
  const directive = directives.find((each) => each.name.value === name);
  if (directive === undefined) return null;
  return Object.fromEntries((directive.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value)]));
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
