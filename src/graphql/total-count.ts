import { type GraphQLResolveInfo, Kind, type SelectionNode } from 'graphql';

/** Whether a connection is asked for its `totalCount` alone, which needs no page; in whatever fragments it is written. */
export function selectsOnlyTotalCount({ fieldNodes, fragments }: GraphQLResolveInfo): boolean {
  function isAllowed(selection: SelectionNode): boolean {
    switch (selection.kind) {
      case Kind.FIELD:
        return selection.name.value === 'totalCount' || selection.name.value === '__typename';
      case Kind.INLINE_FRAGMENT:
        return selection.selectionSet.selections.every(isAllowed);
      case Kind.FRAGMENT_SPREAD:
        return fragments[selection.name.value]?.selectionSet.selections.every(isAllowed) ?? false;
    }
  }
  return fieldNodes.every(({ selectionSet }) => selectionSet?.selections.every(isAllowed));
}
