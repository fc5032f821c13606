import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  type InlineFragmentNode,
  isAbstractType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  typeFromAST,
} from 'graphql';

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;
/** Nodes of the same name in the answer; at least one. */
export type AlikeFields = readonly [FieldNode, ...FieldNode[]];

export function fragmentsOf({ definitions }: DocumentNode): Fragments {
  return new Map(definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [])));
}

/**
 * The fields of an object that are executed, by their names in the answer, as execution collects them: each fragment once, and only where its
 * type fits. `isLeftOut` says what @skip and @include leave out.
 */
export function collectFields(
  schema: GraphQLSchema,
  fragments: Fragments,
  type: GraphQLObjectType,
  selectionSets: readonly SelectionSetNode[],
  isLeftOut: (selection: SelectionNode) => boolean,
): ReadonlyMap<string, AlikeFields> {
  const fields = new Map<string, [FieldNode, ...FieldNode[]]>();
  const spread = new Set<string>();
  function collect({ selections }: SelectionSetNode): void {
    for (const selection of selections) {
      if (isLeftOut(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const alike = fields.get(key);
        if (alike === undefined) fields.set(key, [selection]);
        else alike.push(selection);
        continue;
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        if (spread.has(selection.name.value)) continue;
        spread.add(selection.name.value);
      }
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      if (fragment !== undefined && mayBe(schema, type, fragment)) collect(fragment.selectionSet);
    }
  }
  for (const selectionSet of selectionSets) collect(selectionSet);
  return fields;
}

function mayBe(schema: GraphQLSchema, type: GraphQLObjectType, { typeCondition }: FragmentDefinitionNode | InlineFragmentNode): boolean {
  const condition = typeCondition === undefined ? type : typeFromAST(schema, typeCondition);
  return condition === type || (isAbstractType(condition) && schema.isSubType(condition, type));
}

/** By `@skip` or `@include`, as execution takes them; a condition that is null throws. */
export function isLeftOut(selection: SelectionNode, variables: Readonly<Record<string, unknown>>): boolean {
  if (selection.directives === undefined || selection.directives.length === 0) return false;
  if (getDirectiveValues(GraphQLSkipDirective, selection, variables)?.['if'] === true) return true;
  return getDirectiveValues(GraphQLIncludeDirective, selection, variables)?.['if'] === false;
}

/** The same, where a condition that is null leaves nothing out: execution will refuse the whole operation for it. */
export function isSurelyLeftOut(selection: SelectionNode, variables: Readonly<Record<string, unknown>>): boolean {
  try {
    return isLeftOut(selection, variables);
  } catch {
    return false;
  }
}
