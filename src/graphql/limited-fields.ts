import {
  type DocumentNode,
  defaultFieldResolver,
  type ExecutionArgs,
  type FieldNode,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isAbstractType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { LimitedField, LimitPolicies } from '../platform/rate-limit-policies.ts';
import { collectFields, type Fragments, fragmentsOf, isLeftOut } from './collect-fields.ts';
import type { Context } from './context.ts';
import { argumentValues, variableValues as valuesOf } from './variable-values.ts';

type Arguments = Readonly<Record<string, unknown>>;
/** A field that an operation will execute, with its arguments as its resolver gets them. */
export type FoundField = { readonly coordinate: string; readonly args: Arguments };

/** Every field that some policy counts. */
export function coveredCoordinates({ policies }: LimitPolicies): ReadonlySet<string> {
  return new Set(policies.flatMap(({ fields }) => fields.map(({ coordinate }) => coordinate)));
}

/** What policies name that the schema does not have; each names its path in the file. */
export function unknownFields(schema: GraphQLSchema, { policies }: LimitPolicies): readonly string[] {
  return policies.flatMap(({ name, scope, fields }) =>
    fields.flatMap(({ coordinate, argument }, index) => {
      const path = `/policies/${name}/fields/${index}`;
      const field = fieldAt(schema, coordinate);
      if (field === null) return [`${path} must be a field of the schema, got ${JSON.stringify(coordinate)}.`];
      if (argument !== null && !hasArgument(field, argument.path))
        return [`${path} must name an argument of ${coordinate}, got ${JSON.stringify(argument.path.join('.'))}.`];
      const owner = scope === 'account' ? ACCOUNT : scope === 'conversation' ? CONVERSATIONS : null;
      if (owner === null || owner.some((each) => hasArgument(field, each))) return [];
      return [`${path} must have the argument ${owner.map((each) => each.join('.')).join(' or ')}, as the scope is "${scope}".`];
    }),
  );
}

/** Where a field that is counted by account or by conversation says which. */
const ACCOUNT: readonly LimitedPath[] = [['input', 'handle']];
const CONVERSATIONS: readonly LimitedPath[] = [['input', 'conversationId'], ['conversationId']];
type LimitedPath = NonNullable<LimitedField['argument']>['path'];

export function accountOf(args: Arguments): string | null {
  return textAt(args, ACCOUNT);
}

export function conversationOf(args: Arguments): string | null {
  return textAt(args, CONVERSATIONS);
}

/** The paths of all arguments that are given and not null; those inside of lists are not looked at. */
export function givenPaths(args: Arguments): Set<string> {
  const paths = new Set<string>();
  addGivenPaths(args, '', paths);
  return paths;
}

function addGivenPaths(args: Arguments, prefix: string, paths: Set<string>): void {
  for (const name of Object.keys(args)) {
    const value = args[name];
    if (value === null || value === undefined) continue;
    const path = `${prefix}${name}`;
    paths.add(path);
    if (isRecord(value)) addGivenPaths(value, `${path}.`, paths);
  }
}

/**
 * The fields among `coordinates` that an operation will execute: only the operation that runs, with variables, fragments, @skip and @include
 * as execution takes them, and once for each response key, however often it is written. What stands inside of lists is not among them: how often
 * that runs is seen when it does. Where a type is open, the one with most of them stands for all.
 */
export function findFields(
  { schema, document, operationName, variableValues }: ExecutionArgs,
  coordinates: ReadonlySet<string>,
): readonly FoundField[] {
  const operation = getOperationAST(document, operationName);
  const root = operation ? schema.getRootType(operation.operation) : null;
  if (!operation || !root) return [];
  const { variables } = valuesOf(schema, operation, variableValues);
  if (variables === null) return []; // Execution refuses it.
  let places = knownPlaces.get(operation);
  if (places?.coordinates !== coordinates || places.schema !== schema) {
    const search = new FieldSearch(schema, coordinates, fragmentsOf(document), variables);
    places = { schema, coordinates, found: mentions(document, coordinates) ? search.ofObject(root, [operation.selectionSet]) : [] };
    // What is left out may be another thing the next time; and fragments within fragments come to more than is to be kept.
    if (!search.hasConditions && places.found.length <= PLACES_KEPT_MAX) knownPlaces.set(operation, places);
  }
  return places.found.map(({ coordinate, field, node }) => ({ coordinate, args: argumentsOf(field, node, variables) }));
}

/** Where an operation has such a field. */
type Place = { readonly coordinate: string; readonly field: GraphQLField<unknown, unknown>; readonly node: FieldNode };
type Places = { readonly schema: GraphQLSchema; readonly coordinates: ReadonlySet<string>; readonly found: readonly Place[] };

const PLACES_KEPT_MAX = 100;
const knownPlaces = new WeakMap<OperationDefinitionNode, Places>();

function argumentsOf(field: GraphQLField<unknown, unknown>, node: FieldNode, variables: Arguments): Arguments {
  try {
    return argumentValues(field, node, variables);
  } catch {
    return {}; // Execution refuses it where it stands.
  }
}

class FieldSearch {
  readonly #schema: GraphQLSchema;
  readonly #coordinates: ReadonlySet<string>;
  readonly #fragments: Fragments;
  readonly #variables: Arguments;
  /** Whether `@skip` or `@include` was met. */
  hasConditions = false;

  constructor(schema: GraphQLSchema, coordinates: ReadonlySet<string>, fragments: Fragments, variables: Arguments) {
    this.#schema = schema;
    this.#coordinates = coordinates;
    this.#fragments = fragments;
    this.#variables = variables;
  }

  ofObject(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): readonly Place[] {
    const found: Place[] = [];
    const fields = collectFields(this.#schema, this.#fragments, type, sets, (selection) => this.#isLeftOut(selection));
    for (const [first, ...others] of fields.values()) {
      const field = type.getFields()[first.name.value];
      if (field === undefined) continue;
      const coordinate = `${type.name}.${field.name}`;
      if (this.#coordinates.has(coordinate)) found.push({ coordinate, field, node: first });
      const inner = [first, ...others].flatMap(({ selectionSet }) => selectionSet ?? []);
      if (inner.length > 0 && !isList(field)) found.push(...this.#ofType(field, inner));
    }
    return found;
  }

  #isLeftOut(selection: SelectionNode): boolean {
    if (selection.directives !== undefined && selection.directives.length > 0) this.hasConditions = true;
    return isLeftOut(selection, this.#variables);
  }

  #ofType(field: GraphQLField<unknown, unknown>, sets: readonly SelectionSetNode[]): readonly Place[] {
    const type = getNamedType(field.type);
    if (isObjectType(type)) return this.ofObject(type, sets);
    if (!isAbstractType(type)) return [];
    const each = this.#schema.getPossibleTypes(type).map((possible) => this.ofObject(possible, sets));
    return each.reduce((most, found) => (found.length > most.length ? found : most), []);
  }
}

const namesIn = new WeakMap<DocumentNode, ReadonlySet<string>>();

/** Whether a document has a field of such a name at all; most have not. */
function mentions(document: DocumentNode, coordinates: ReadonlySet<string>): boolean {
  let names = namesIn.get(document);
  if (names === undefined) {
    const found = new Set<string>();
    const look = ({ selections }: SelectionSetNode): void => {
      for (const selection of selections) {
        if (selection.kind === Kind.FIELD) found.add(selection.name.value);
        if (selection.kind !== Kind.FRAGMENT_SPREAD && selection.selectionSet !== undefined) look(selection.selectionSet);
      }
    };
    for (const definition of document.definitions) if ('selectionSet' in definition) look(definition.selectionSet);
    names = found;
    namesIn.set(document, names);
  }
  for (const coordinate of coordinates) if (names.has(coordinate.slice(coordinate.indexOf('.') + 1))) return true;
  return false;
}

/** What happens around each execution of a field. */
export type AroundField = {
  /** Before it; what it throws is the answer. */
  enter(context: Context, field: FoundField, isInList: boolean): Entered | Promise<Entered>;
  /** When it failed. */
  failed(entered: Entered, error: unknown): void;
};
export type Entered = object | null;

/** Puts `around` in front of each of these fields, ahead of the check of who may read them. To be called once for each coordinate. */
export function surroundFields(schema: GraphQLSchema, coordinates: Iterable<string>, around: AroundField): void {
  for (const coordinate of coordinates) {
    const field = fieldAt(schema, coordinate);
    if (field === null) throw new Error(`${coordinate} must be a field of the schema.`);
    // The events of a subscription are no executions of its field.
    if (coordinate.startsWith(`${schema.getSubscriptionType()?.name}.`)) field.subscribe = surround(coordinate, field.subscribe, around);
    else field.resolve = surround(coordinate, field.resolve, around);
  }
}

type Resolve = GraphQLFieldResolver<unknown, Context>;

function surround(coordinate: string, resolve: Resolve = defaultFieldResolver, { enter, failed }: AroundField): Resolve {
  return async (source, args, context, info) => {
    const entered = await enter(context, { coordinate, args }, isInList(info));
    try {
      return await resolve(source, args, context, info);
    } catch (error) {
      failed(entered, error);
      throw error;
    }
  };
}

function isInList({ path }: GraphQLResolveInfo): boolean {
  for (let place: typeof path | undefined = path; place !== undefined; place = place.prev) if (typeof place.key === 'number') return true;
  return false;
}

function fieldAt(schema: GraphQLSchema, coordinate: string): GraphQLField<unknown, Context> | null {
  const [typeName = '', fieldName = ''] = coordinate.split('.');
  const type = schema.getType(typeName);
  return isObjectType(type) ? (type.getFields()[fieldName] ?? null) : null;
}

function hasArgument({ args }: GraphQLField<unknown, Context>, [name, ...inner]: readonly string[]): boolean {
  const argument = args.find((each) => each.name === name);
  if (argument === undefined) return false;
  let type = getNamedType(argument.type);
  for (const part of inner) {
    const next = isInputObjectType(type) ? type.getFields()[part] : undefined;
    if (next === undefined) return false;
    type = getNamedType(next.type);
  }
  return true;
}

function isList({ type }: GraphQLField<unknown, unknown>): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}

function textAt(args: Arguments, paths: readonly LimitedPath[]): string | null {
  for (const path of paths) {
    const value = path.reduce<unknown>((inner, name) => (isRecord(inner) ? inner[name] : undefined), args);
    if (typeof value === 'string') return value;
  }
  return null;
}

function isRecord(value: unknown): value is Arguments {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
