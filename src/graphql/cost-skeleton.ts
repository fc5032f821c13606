import {
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  GraphQLSkipDirective,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
  visit,
} from 'graphql';
import { collectFields, fragmentsOf, isSurelyLeftOut } from './collect-fields.ts';
import type { CostRules, FieldRule } from './cost-rules.ts';

/** What an operation selects, merged as execution merges it, with everything about its cost that no value of a variable changes. */
export type Skeleton = {
  readonly root: Selection;
  /** All there are, each after those below it. */
  readonly selections: readonly Selection[];
  readonly fields: readonly SelectedField[];
};

/** What is selected of an object. One stands for all places that select the same, so it is looked at once however often it is spread. */
export type Selection = {
  readonly index: number;
  readonly fields: readonly SelectedField[];
  /** Whether the field above says how long some of its lists are. */
  readonly isSized: boolean;
  /** Whether none of these lists is selected, so that all of one is read and not shown. */
  readonly hasUnseenRows: boolean;
  /** Whether there is a list anywhere below, or in here one that is not shown. */
  readonly hasLists: boolean;
};

export type SelectedField = {
  readonly index: number;
  /** The name in the answer. */
  readonly key: string;
  /** Where it stands in the document: once, or several times that execution merges. Their arguments are the same. */
  readonly nodes: readonly [FieldNode, ...FieldNode[]];
  readonly definition: GraphQLField<unknown, unknown>;
  readonly rule: FieldRule;
  /** The field above says how long this list is. */
  readonly isSizedAbove: boolean;
  /** Whether its arguments depend on variables. */
  readonly isVariable: boolean;
  /** Points of each value where it is no object. */
  readonly leafWeight: number;
  /** What may be there, one per type of object. */
  readonly branches: readonly Branch[];
};

export type Branch = { readonly type: string; readonly weight: number; readonly selection: Selection };

type Variables = Readonly<Record<string, unknown>>;

/** More different selections than that are no operation anybody needs, but fragments that multiply each other. */
export const SELECTIONS_MAX = 2_000;
/** Deeper documents are refused; where limits are only measured they get here, and must not fill the stack. */
const DEPTH_MAX = 200;
/** Of all documents together; some twenty megabytes, if they are made for it. The documents of usual clients have a few hundred. */
const REMEMBERED_SELECTIONS_MAX = 20_000;
const OBJECT_WEIGHT = 1;
/** Known of a list that is not read. */
const COUNT = 'totalCount';
const CONDITIONS = [GraphQLSkipDirective.name, GraphQLIncludeDirective.name];

export type SkeletonCache = (document: DocumentNode, operation: OperationDefinitionNode, variables: Variables) => Skeleton | null;

type Known = { readonly asked: readonly string[]; readonly variants: Map<string, Skeleton | null> };

/**
 * Skeletons by the identity of the document; variables only matter where `@skip` and `@include` ask for them. Null when there are more than
 * SELECTIONS_MAX selections. What is remembered is bounded: beyond, all is forgotten and built anew.
 */
export function createSkeletonCache(rules: CostRules): SkeletonCache {
  let documents = new WeakMap<DocumentNode, Known>();
  let remembered = 0;
  return (document, operation, variables) => {
    if (remembered > REMEMBERED_SELECTIONS_MAX) {
      documents = new WeakMap();
      remembered = 0;
    }
    let known = documents.get(document);
    if (known === undefined) {
      known = { asked: variablesOfConditions(document), variants: new Map() };
      documents.set(document, known);
    }
    const { asked, variants } = known;
    const key = [operation.name?.value ?? '', ...asked.map((name) => String(variables[name]))].join(' ');
    let skeleton = variants.get(key);
    if (skeleton === undefined) {
      skeleton = buildSkeleton(rules, document, operation, variables);
      remembered += skeleton?.selections.length ?? 1;
      variants.set(key, skeleton);
    }
    return skeleton;
  };
}

function variablesOfConditions(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    Directive({ name, arguments: given = [] }) {
      if (!CONDITIONS.includes(name.value)) return;
      for (const { value } of given) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}

function buildSkeleton(
  rules: CostRules,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): Skeleton | null {
  const { schema } = rules;
  const fragments = fragmentsOf(document);
  const numbers = new Map<SelectionSetNode, number>();
  const known = new Map<string, Selection>();
  // For a fragment that spreads itself, though validation lets none come so far.
  const nothing: Selection = { index: 0, fields: [], isSized: false, hasUnseenRows: false, hasLists: false };
  const selections: Selection[] = [nothing];
  const fields: SelectedField[] = [];
  let begun = 0;

  const rootType = schema.getRootType(operation.operation);
  if (!rootType) throw new Error(`The schema must have a type for a ${operation.operation}.`);
  try {
    const root = select(rootType, [operation.selectionSet], [], 1);
    return { root, selections, fields };
  } catch (error) {
    if (error === TOO_LARGE) return null;
    throw error;
  }

  /** `sizedFields` are those whose size the field above knows. */
  function select(
    type: GraphQLObjectType,
    selectionSets: readonly SelectionSetNode[],
    sizedFields: readonly string[],
    depth: number,
  ): Selection {
    const key = `${type.name} ${selectionSets.map(numberOf).join()} ${sizedFields.join()}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    if (++begun > SELECTIONS_MAX || depth > DEPTH_MAX) throw TOO_LARGE;
    known.set(key, nothing);
    const nodes = collectFields(schema, fragments, type, selectionSets, (selection) => isSurelyLeftOut(selection, variables));
    const selected = [...nodes].flatMap(([name, alike]) => fieldOf(type, name, alike, sizedFields, depth) ?? []);
    const isSized = sizedFields.length > 0;
    const hasUnseenRows = isSized && !areRowsSeen(selected);
    const isListBelow = selected.some(({ rule, branches }) => rule.isList || branches.some((branch) => branch.selection.hasLists));
    const selection = { index: selections.length, fields: selected, isSized, hasUnseenRows, hasLists: hasUnseenRows || isListBelow };
    selections.push(selection);
    known.set(key, selection);
    return selection;
  }

  /** Null for what is exempt: `__typename`, `__schema` and `__type`. */
  function fieldOf(
    parent: GraphQLObjectType,
    key: string,
    nodes: SelectedField['nodes'],
    sizedFields: readonly string[],
    depth: number,
  ): SelectedField | null {
    const [node] = nodes;
    const definition = parent.getFields()[node.name.value];
    if (definition === undefined) return null;
    const rule = rules.of(definition);
    const named = getNamedType(definition.type);
    const selectionSets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const types = isAbstractType(named) ? schema.getPossibleTypes(named) : isObjectType(named) ? [named] : [];
    const branches = types.map((type) => ({
      type: type.name,
      weight: rules.weightOf(type) ?? OBJECT_WEIGHT,
      selection: select(type, selectionSets, rule.listSize?.sizedFields ?? [], depth + 1),
    }));
    const field = {
      index: fields.length,
      key,
      nodes,
      definition,
      rule,
      isSizedAbove: sizedFields.includes(definition.name),
      isVariable: (node.arguments ?? []).some(({ value }) => holdsVariable(value)),
      leafWeight: isCompositeType(named) ? 0 : (rules.weightOf(named) ?? 0),
      branches,
    };
    fields.push(field);
    return field;
  }

  function numberOf(selectionSet: SelectionSetNode): number {
    const number = numbers.get(selectionSet) ?? numbers.size;
    numbers.set(selectionSet, number);
    return number;
  }
}

const TOO_LARGE = Symbol('too large');

/** Of a selection whose field above sizes its lists: whether what is read for it is shown, or nothing is read. */
export function areRowsSeen(fields: readonly Pick<SelectedField, 'isSizedAbove' | 'definition'>[]): boolean {
  return (
    fields.some(({ isSizedAbove }) => isSizedAbove) || (fields.length > 0 && fields.every(({ definition }) => definition.name === COUNT))
  );
}

function holdsVariable(value: ValueNode): boolean {
  switch (value.kind) {
    case Kind.VARIABLE:
      return true;
    case Kind.LIST:
      return value.values.some(holdsVariable);
    case Kind.OBJECT:
      return value.fields.some((field) => holdsVariable(field.value));
    default:
      return false;
  }
}
