import { type GraphQLResolveInfo, Kind, type SelectionNode } from 'graphql';
import { isSurelyLeftOut } from './collect-fields.ts';

/** Whether a connection is asked for its `totalCount` alone, which needs no page; in whatever fragments it is written, and as cost counts it. */
export function selectsOnlyTotalCount({ fieldNodes, fragments, variableValues }: GraphQLResolveInfo): boolean {
  const visited = new Set<string>();
  function isAllowed(selection: SelectionNode): boolean {
    if (isSurelyLeftOut(selection, variableValues)) return true;
    switch (selection.kind) {
      case Kind.FIELD:
        return selection.name.value === 'totalCount' || selection.name.value === '__typename';
      case Kind.INLINE_FRAGMENT:
        return selection.selectionSet.selections.every(isAllowed);
      case Kind.FRAGMENT_SPREAD:
        return areAllowed(selection.name.value);
    }
  }
  /** Each once, or fragments that name each other twice would double the work with each of them. A "no" is the answer of the whole anyway. */
  function areAllowed(fragment: string): boolean {
    if (visited.has(fragment)) return true;
    visited.add(fragment);
    return fragments[fragment]?.selectionSet.selections.every(isAllowed) ?? false;
  }
  return fieldNodes.every(({ selectionSet }) => selectionSet?.selections.every(isAllowed));
}
