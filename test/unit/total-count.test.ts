import { type FieldNode, type FragmentDefinitionNode, type GraphQLResolveInfo, Kind, parse } from 'graphql';
import { expect, test } from 'vitest';
import { selectsOnlyTotalCount } from '../../src/graphql/total-count.ts';

test.each([
  ['{ members { totalCount __typename } }', true],
  ['{ members { ... { totalCount } ...A } } fragment A on MemberConnection { totalCount }', true],
  ['{ members { totalCount nodes { id } } }', false],
  ['{ members { ...A ...B } } fragment A on MemberConnection { totalCount } fragment B on MemberConnection { ...A nodes { id } }', false],
  ['{ members { totalCount nodes @skip(if: true) { id } ...A @include(if: $no) } } fragment A on MemberConnection { nodes { id } }', true],
  ['{ members { totalCount nodes @skip(if: $no) { id } } }', false],
  ['{ members { ...A ...A } } fragment A on MemberConnection { nodes { id } }', false],
])('%s: %s', (query, expected) => {
  expect(selectsOnlyTotalCount(infoOf(query).info)).toBe(expected);
});

test('fragments that name each other twice are looked into once', () => {
  const count = 16;
  const fragments = Array.from(
    { length: count },
    (_, index) => `fragment F${index} on MemberConnection { ...F${index + 1} ...F${index + 1} }`,
  );
  const last = `fragment F${count} on MemberConnection { totalCount }`;
  const { info, lookups } = infoOf(['{ members { ...F0 } }', ...fragments, last].join('\n'));
  expect(selectsOnlyTotalCount(info)).toBe(true);
  expect(lookups()).toBe(count + 1);
});

/** As much of the resolver's information as is read, and how often a fragment was looked up. */
function infoOf(query: string) {
  const { definitions } = parse(query);
  const fieldNodes: FieldNode[] = [];
  const byName: Record<string, FragmentDefinitionNode> = {};
  for (const definition of definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) byName[definition.name.value] = definition;
    if (definition.kind === Kind.OPERATION_DEFINITION) fieldNodes.push(...(definition.selectionSet.selections as readonly FieldNode[]));
  }
  let count = 0;
  const fragments = new Proxy(byName, {
    get(target, name: string) {
      count += 1;
      return target[name];
    },
  });
  return { info: { fieldNodes, fragments, variableValues: { no: false } } as unknown as GraphQLResolveInfo, lookups: () => count };
}
