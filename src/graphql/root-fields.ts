import { type DocumentNode, type FragmentDefinitionNode, Kind, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';

type Counts = ReadonlyMap<string, number>;
const NONE: Counts = new Map();

/** The root fields an operation selects, and how often, with fragments expanded: each spread counts. Safe for cyclic fragments. */
export function rootFields(document: DocumentNode, operation: OperationDefinitionNode): Counts {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  // A fragment is looked into once, so that fragments which double each other cost no more than their text.
  const known = new Map<string, Counts>();

  function ofFragment(name: string): Counts {
    const counted = known.get(name);
    if (counted !== undefined) return counted;
    known.set(name, NONE);
    const fragment = fragments.get(name);
    const counts = fragment === undefined ? NONE : ofSelections(fragment.selectionSet);
    known.set(name, counts);
    return counts;
  }

  function ofSelections({ selections }: SelectionSetNode): Counts {
    const counts = new Map<string, number>();
    const add = (name: string, times: number) => counts.set(name, (counts.get(name) ?? 0) + times);
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        add(selection.name.value, 1);
        continue;
      }
      const inner = selection.kind === Kind.INLINE_FRAGMENT ? ofSelections(selection.selectionSet) : ofFragment(selection.name.value);
      for (const [name, times] of inner) add(name, times);
    }
    return counts;
  }

  return ofSelections(operation.selectionSet);
}
