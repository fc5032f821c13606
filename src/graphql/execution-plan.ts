import {
  type DocumentNode,
  defaultFieldResolver,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLField,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLString,
  getArgumentValues,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { type AlikeFields, collectFields, type Fragments, fragmentsOf, isLeftOut } from './collect-fields.ts';

export type Arguments = Readonly<Record<string, unknown>>;
export type Field = GraphQLField<unknown, unknown>;

/** What is executed of an object of one type, in the order of the answer. */
export type ObjectPlan = { readonly fields: readonly FieldPlan[] };

export type FieldPlan = {
  readonly key: string;
  readonly name: string;
  readonly nodes: AlikeFields;
  readonly parentType: GraphQLObjectType;
  /** Null: `__typename`. Its resolver is looked up at each execution, as limits may surround it later. */
  readonly field: Field | null;
  readonly value: ValuePlan;
  /** Frozen. Null where variables say what they are. */
  readonly constantArguments: Arguments | null;
};

/** How a value of one type is completed. */
export type ValuePlan = { readonly isNonNull: boolean } & (
  | { readonly kind: 'leaf'; readonly type: GraphQLLeafType }
  | { readonly kind: 'list'; readonly item: ValuePlan }
  | { readonly kind: 'object'; readonly below: () => ObjectPlan }
  | { readonly kind: 'abstract'; readonly type: GraphQLAbstractType; readonly below: (type: GraphQLObjectType) => ObjectPlan }
);

export type OperationPlan = {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly root: () => ObjectPlan;
};

/** The plans of an operation, which differ by what its `@skip` and `@include` leave out. */
export type OperationPlans = {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  /** Null where a condition is null, which graphql is to refuse. */
  readonly of: (variables: Arguments) => OperationPlan | null;
};

/**
 * A field that is planned for each so many characters of its document, at most. With fragments within fragments, and with conditions, a document
 * comes to far more fields than it is long, and what is remembered must not be more than the memory for documents allows: such are graphql's.
 */
const CHARACTERS_PER_FIELD_MIN = 2;
const NO_ARGUMENTS: Arguments = Object.freeze({});
const TYPE_NAME: ValuePlan = { isNonNull: true, kind: 'leaf', type: GraphQLString };
/** Introspection; and an object that was given such a property would have another prototype. */
const NOT_PLANNED = ['__schema', '__type', '__proto__'];

/**
 * What of an operation does not change from one execution to the next, each part worked out when it is first executed. Null for what is left to
 * graphql's own way: introspection, and schemas with types that judge their values themselves.
 */
export function planOperation(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): OperationPlans | null {
  const root = schema.getRootType(operation.operation);
  if (root === null || root === undefined || judgesValues(schema)) return null;
  const fragments = fragmentsOf(document);
  const conditions = conditionsOf([operation, ...fragments.values()]);
  if (conditions === null) return null;
  const byName = Object.fromEntries(fragments);
  /** By the values of the conditions; null: they have become too large. */
  let plans: Map<string, OperationPlan> | null = new Map<string, OperationPlan>();
  const room = roomOf(document);
  const constants: Constants = new Map();

  /** What is under way goes on with the plan that it has. */
  function count(fields: number): void {
    room.fields -= fields;
    if (room.fields < 0) plans = null;
  }

  function of(variables: Arguments): OperationPlan | null {
    const values = conditions?.map((name) => variables[name]) ?? [];
    if (plans === null || values.some((value) => typeof value !== 'boolean')) return null;
    const key = values.join();
    const remembered = plans.get(key);
    if (remembered !== undefined) return remembered;
    // Nothing else of the variables is kept: they may be large, or secret.
    const given = Object.fromEntries(conditions?.map((name) => [name, variables[name]]) ?? []);
    const planner = new Planner({ schema, fragments, conditions: given, constants, count });
    // That there is one was looked at above.
    const plan = { schema, operation, fragments: byName, root: planner.of(root as GraphQLObjectType, [operation.selectionSet]) };
    plans.set(key, plan);
    return plan;
  }
  return { schema, operation, of };
}

const rooms = new WeakMap<DocumentNode, { fields: number }>();

/** How many more fields may be planned of a document, for all of its operations together. */
function roomOf(document: DocumentNode): { fields: number } {
  const room = rooms.get(document) ?? { fields: (document.loc?.source.body.length ?? 0) / CHARACTERS_PER_FIELD_MIN };
  rooms.set(document, room);
  return room;
}

/** The variables by which something is left out; null where something is not to be planned. */
function conditionsOf(nodes: readonly (OperationDefinitionNode | FragmentDefinitionNode)[]): readonly string[] | null {
  const names = new Set<string>();
  let isPlanned = true;
  const look = (selection: SelectionNode): void => {
    if (selection.kind === Kind.FIELD)
      isPlanned &&= ![selection.name.value, selection.alias?.value ?? ''].some((name) => NOT_PLANNED.includes(name));
    for (const { arguments: given = [] } of selection.directives ?? [])
      for (const { value } of given) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
  };
  for (const node of nodes) visit(node, { Field: look, InlineFragment: look, FragmentSpread: look });
  return isPlanned ? [...names] : null;
}

const judging = new WeakMap<GraphQLSchema, boolean>();

function judgesValues(schema: GraphQLSchema): boolean {
  const known = judging.get(schema);
  if (known !== undefined) return known;
  const isJudging = Object.values(schema.getTypeMap()).some((type) => isObjectType(type) && typeof type.isTypeOf === 'function');
  judging.set(schema, isJudging);
  return isJudging;
}

/** Arguments that are the same at each execution, by the node that gives them; null: there are other ones each time, or they do not fit. */
type Constants = Map<FieldNode, { readonly field: Field; readonly found: Arguments | null }>;
type PlannerDependencies = {
  readonly schema: GraphQLSchema;
  readonly fragments: Fragments;
  /** The values of the variables by which something is left out. */
  readonly conditions: Arguments;
  readonly constants: Constants;
  /** Told how much was planned. */
  readonly count: (fields: number) => void;
};

class Planner {
  readonly #dependencies: PlannerDependencies;

  constructor(dependencies: PlannerDependencies) {
    this.#dependencies = dependencies;
  }

  /** Made when it is first asked for: of most documents not everything is ever there. */
  of(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): () => ObjectPlan {
    let known: ObjectPlan | null = null;
    return () => (known ??= this.#ofObject(type, sets));
  }

  #ofObject(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): ObjectPlan {
    const { schema, fragments, conditions, count } = this.#dependencies;
    const fields: FieldPlan[] = [];
    for (const [key, nodes] of collectFields(schema, fragments, type, sets, (selection) => isLeftOut(selection, conditions))) {
      const plan = this.#ofField(type, key, nodes);
      if (plan !== null) fields.push(plan);
    }
    count(fields.length + 1); // Nothing at all takes room, too.
    return { fields };
  }

  /** Null for a field that the type does not have, which execution passes over. */
  #ofField(parentType: GraphQLObjectType, key: string, nodes: AlikeFields): FieldPlan | null {
    const name = nodes[0].name.value;
    const common = { key, name, nodes, parentType };
    if (name === '__typename') return { ...common, field: null, value: TYPE_NAME, constantArguments: NO_ARGUMENTS };
    const field = parentType.getFields()[name];
    if (field === undefined) return null;
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    return { ...common, field, value: this.#ofValue(field.type, sets), constantArguments: this.#constantsOf(field, nodes[0]) };
  }

  #constantsOf(field: Field, node: FieldNode): Arguments | null {
    const { constants } = this.#dependencies;
    const known = constants.get(node);
    // Of several types that have it, the defaults may differ.
    if (known?.field === field) return known.found;
    const found = constantArguments(field, node);
    constants.set(node, { field, found });
    return found;
  }

  #ofValue(type: GraphQLOutputType, sets: readonly SelectionSetNode[]): ValuePlan {
    const isNonNull = isNonNullType(type);
    const inner = isNonNull ? type.ofType : type;
    if (isListType(inner)) return { isNonNull, kind: 'list', item: this.#ofValue(inner.ofType, sets) };
    if (isLeafType(inner)) return { isNonNull, kind: 'leaf', type: inner };
    if (isObjectType(inner)) return { isNonNull, kind: 'object', below: this.of(inner, sets) };
    if (isAbstractType(inner)) return { isNonNull, kind: 'abstract', type: inner, below: this.#ofEach(sets) };
    throw new Error('A field must be of a leaf, a list, an object or an abstract type.');
  }

  #ofEach(sets: readonly SelectionSetNode[]): (type: GraphQLObjectType) => ObjectPlan {
    const plans = new Map<GraphQLObjectType, ObjectPlan>();
    return (type) => {
      const plan = plans.get(type) ?? this.#ofObject(type, sets);
      plans.set(type, plan);
      return plan;
    };
  }
}

/** What a value of an abstract type is, by the name of its type. */
export function runtimeType(schema: GraphQLSchema, type: GraphQLAbstractType, plan: FieldPlan, name: unknown): GraphQLObjectType {
  const found = typeof name === 'string' ? schema.getType(name) : undefined;
  if (isObjectType(found) && schema.isSubType(type, found)) return found;
  const message = `"${type.name}" of ${coordinateOf(plan)} must be one of its object types, got ${JSON.stringify(name)}.`;
  throw new GraphQLError(message, { nodes: plan.nodes });
}

export function coordinateOf({ parentType, name }: FieldPlan): string {
  return `${parentType.name}.${name}`;
}

/** The resolver of a field; undefined where it is the property of its name. */
export function resolverOf({ resolve }: Field) {
  return resolve === defaultFieldResolver ? undefined : resolve;
}

/** Null where they have to be worked out at each execution, at which those that do not fit also fail. */
function constantArguments(field: Field, node: FieldNode): Arguments | null {
  if (field.args.length === 0) return NO_ARGUMENTS;
  let isConstant = true;
  for (const given of node.arguments ?? []) {
    visit(given, {
      Variable() {
        isConstant = false;
      },
    });
  }
  try {
    return isConstant ? frozen(getArgumentValues(field, node, {})) : null;
  } catch {
    return null;
  }
}

/** All that is in it, too: everybody's resolvers get the same. */
function frozen<Value extends object>(value: Value): Value {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) frozen(inner);
  return Object.freeze(value);
}
