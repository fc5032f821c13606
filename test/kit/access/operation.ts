import {
  buildASTSchema,
  concatAST,
  type DocumentNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLNamedOutputType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  Kind,
  parse,
  typeFromAST,
} from 'graphql';
import { ACCESS_RULES, OBJECT_ACCESS } from '../../../src/graphql/access.ts';
import { readTypeDefs } from '../../../src/graphql/schema.ts';
import { EXAMPLES, type ExampleInput } from './examples.ts';
import type { RootType } from './world.ts';

/** A field that an operation selects, and what it selects of it by the type of the object there. */
export type Plan = {
  /** `Type.field`. */
  readonly coordinate: string;
  /** The key of its answer. */
  readonly key: string;
  readonly isNonNull: boolean;
  readonly isList: boolean;
  readonly type: GraphQLNamedOutputType;
  /** A list's `totalCount` alone is selected. */
  readonly isTotalOnly: boolean;
  readonly children: ReadonlyMap<string, readonly Plan[]>;
};

export type Variables = Readonly<Record<string, unknown>>;

export type Operation = {
  readonly root: Plan;
  readonly document: DocumentNode;
  readonly variables: (input: ExampleInput) => Promise<Variables>;
};

const KEYWORDS: Readonly<Record<RootType, string>> = { Query: 'query', Mutation: 'mutation', Subscription: 'subscription' };

/** As clients know it, with nothing behind it. */
export const schema: GraphQLSchema = buildASTSchema(concatAST(readTypeDefs().map((text) => parse(text))));
const operations = new Map<string, Operation>();

/** Objects with an id that stand in each other, of which all is selected; of what stands in the last of them the plain fields. */
const DEEP = 2;

/**
 * The operation that selects one root field and, below it, everything the schema has: each way to each type, and of a type that was met
 * before on the same way its plain fields. (What has no id of its own is only a step on the way.) So a field that is added is asked for without anything being written.
 */
export function operationOf(coordinate: string): Operation {
  const known = operations.get(coordinate) ?? buildOperation(coordinate);
  operations.set(coordinate, known);
  return known;
}

function buildOperation(coordinate: string): Operation {
  const [rootType, fieldName] = coordinate.split('.');
  if (!isRootType(rootType) || fieldName === undefined) throw new Error(`Must be a root field, got ${coordinate}.`);
  const type = schema.getType(rootType);
  const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
  if (field === undefined) throw new Error(`There must be a field ${rootType}.${fieldName}.`);
  const declared: string[] = [];
  const makers: (readonly [name: string, make: (input: ExampleInput) => Promise<unknown>])[] = [];

  function argumentsOf(coordinate: string, args: readonly GraphQLArgument[]): string {
    const given = args.flatMap((argument) => {
      const example = exampleOf(`${coordinate}.${argument.name}`, argument, isRequiredArgument(argument));
      if (example === null) return [];
      const name = `v${makers.length}`;
      declared.push(`$${name}: ${argument.type}`);
      makers.push([name, example]);
      return [`${argument.name}: $${name}`];
    });
    return given.length === 0 ? '' : `(${given.join(' ')})`;
  }

  function select(
    owner: string,
    selected: GraphQLField<unknown, unknown>,
    above: readonly string[],
  ): readonly { text: string; plan: Plan }[] {
    const coordinate = `${owner}.${selected.name}`;
    const named = getNamedType(selected.type);
    const head = `${selected.name}${argumentsOf(coordinate, selected.args)}`;
    const base = { coordinate, ...shapeOf(selected.type), type: named, isTotalOnly: false };
    if (isLeafType(named)) return [{ text: head, plan: { ...base, key: selected.name, children: new Map() } }];
    const types = isInterfaceType(named) ? schema.getPossibleTypes(named) : isObjectType(named) ? [named] : [];
    const children = new Map<string, readonly Plan[]>();
    const texts = types.map((each) => {
      const isMet =
        each.name in OBJECT_ACCESS && (above.includes(each.name) || above.filter((name) => name in OBJECT_ACCESS).length >= DEEP);
      const parts = Object.values(each.getFields())
        .filter((inner) => !isMet || isLeafType(getNamedType(inner.type)))
        .flatMap((inner) => select(each.name, inner, [...above, each.name]));
      children.set(
        each.name,
        parts.map(({ plan }) => plan),
      );
      return `... on ${each.name} { ${parts.map(({ text }) => text).join(' ')} }`;
    });
    const whole = { text: `${head} { __typename ${texts.join(' ')} }`, plan: { ...base, key: selected.name, children } };
    if (ruleOf(coordinate) !== 'MEMBER_OR_TOTAL') return [whole];
    const key = `${selected.name}_total`;
    const total = (children.get(named.name) ?? []).filter((plan) => plan.key === 'totalCount');
    const plan = { ...base, key, isTotalOnly: true, children: new Map([[named.name, total]]) };
    return [whole, { text: `${key}: ${selected.name} { __typename totalCount }`, plan }];
  }

  const [root] = select(rootType, field, []);
  if (root === undefined) throw new Error(`${rootType}.${fieldName} must be selected.`);
  const variables = declared.length === 0 ? '' : `(${declared.join(' ')})`;
  return {
    root: root.plan,
    document: parse(`${KEYWORDS[rootType]} Access ${variables} { ${root.text} }`),
    async variables(input) {
      const entries = makers.map(async ([name, make]) => [name, await make(input)] as const);
      return Object.fromEntries((await Promise.all(entries)).filter(([, value]) => value !== null));
    },
  };
}

/** `Type.field` of every field of every object there is. */
export function coordinates(): readonly string[] {
  return Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) && !type.name.startsWith('__') ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`) : [],
  );
}

export function rootFields(): readonly string[] {
  return coordinates().filter((coordinate) => isRootType(coordinate.split('.')[0]));
}

export function isRootType(name: string | undefined): name is RootType {
  return name !== undefined && name in KEYWORDS;
}

/** The same call without a place to go on from. */
export function withoutCursors(field: string, variables: Variables): Variables {
  const entries = Object.entries(variables).map(([name, value]) => [
    name,
    getNamedType(typeOf(field, name)).name === 'EventCursor' ? null : value,
  ]);
  return Object.fromEntries(entries);
}

export function typeOf(field: string, variable: string): GraphQLInputType {
  const [operation] = operationOf(field).document.definitions;
  const definition =
    operation?.kind === Kind.OPERATION_DEFINITION
      ? operation.variableDefinitions?.find((each) => each.variable.name.value === variable)
      : undefined;
  const type = definition === undefined ? undefined : typeFromAST(schema, definition.type);
  // The type of a variable is one of input: the document was made of the arguments' own types.
  if (type === undefined) throw new Error(`There must be a variable ${variable} of ${field}.`);
  return type as GraphQLInputType;
}

export function ruleOf(coordinate: string, rules: object = ACCESS_RULES): string {
  const [type = '', field = ''] = coordinate.split('.');
  const byType: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = { ...rules };
  const rule = byType[type]?.[field];
  if (rule === undefined) throw new Error(`There must be a rule for ${coordinate}.`);
  return rule;
}

function exampleOf(
  coordinate: string,
  { name, type }: GraphQLArgument | GraphQLInputField,
  isRequired: boolean,
): ((input: ExampleInput) => Promise<unknown>) | null {
  const example = EXAMPLES[coordinate] ?? EXAMPLES[name];
  if (example !== undefined && (isRequired || EXAMPLES[coordinate] !== undefined)) return async (input) => example(input);
  if (!isRequired) return null;
  const named = getNamedType(type);
  if (!isInputObjectType(named)) throw new Error(`There is no way to call ${coordinate}: add an example to test/kit/access/examples.ts.`);
  const fields = Object.values(named.getFields()).flatMap((field) => {
    const made = exampleOf(`${named.name}.${field.name}`, field, isRequiredInputField(field));
    return made === null ? [] : [[field.name, made] as const];
  });
  return async (input) => {
    const entries = fields.map(async ([key, make]) => [key, await make(input)] as const);
    return Object.fromEntries((await Promise.all(entries)).filter(([, value]) => value !== null));
  };
}

function shapeOf(type: GraphQLOutputType): { readonly isNonNull: boolean; readonly isList: boolean } {
  const isNonNull = isNonNullType(type);
  return { isNonNull, isList: isListType(isNonNull ? type.ofType : type) };
}
