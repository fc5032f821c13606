import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isAbstractType,
  isInputObjectType,
  isLeafType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';

type Values = Readonly<Record<string, unknown>>;
type Answer = Readonly<Record<string, unknown>> | null;

/**
 * What an operation costs by the words of the documentation, in the plainest way: everything is written out as often as it is there, nothing is
 * remembered. With an answer it counts the lists of that instead of those that are assumed. Knows nothing of how the server does it.
 */
export function naiveCost(schema: GraphQLSchema, document: DocumentNode, variables: Values, answer?: Answer): number {
  const operation = document.definitions.find((node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION);
  const root = operation && schema.getRootType(operation.operation);
  if (!operation || !root) throw new Error('There must be an operation.');
  const fragments = document.definitions.filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION);
  const values: Record<string, unknown> = {};
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    if (name in variables) values[name] = variables[name];
    else if (defaultValue !== undefined) values[name] = valueFromASTUntyped(defaultValue);
  }
  return ofObject(root, [operation.selectionSet], answer, null);

  function ofObject(
    type: GraphQLObjectType,
    sets: readonly SelectionSetNode[],
    answered: unknown,
    sized: { names: unknown; size: number } | null,
  ): number {
    const all = sets.flatMap((set) => fieldsOf(type, set));
    const names = [...new Set(all.map(({ name }) => name.value))].filter((name) => name !== '__typename');
    const isShown = names.some((name) => (sized?.names as string[] | undefined)?.includes(name)) || names.join() === 'totalCount';
    // A page is read, whatever is shown of it.
    let cost = sized !== null && !isShown && answered !== null ? sized.size : 0;
    for (const key of new Set(all.map(keyOf))) {
      const nodes = all.filter((node) => keyOf(node) === key);
      const [node] = nodes;
      const field = type.getFields()[node?.name.value ?? ''];
      if (node === undefined || field === undefined) continue;
      const values = answered === undefined ? undefined : ((answered as Answer)?.[key] ?? null);
      cost += ofField(field, nodes, values, sized);
    }
    return cost;
  }

  function ofField(
    field: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
    answered: unknown,
    sized: { names: unknown; size: number } | null,
  ): number {
    const [node] = nodes;
    if (node === undefined) return 0;
    const args = Object.fromEntries(field.args.map((argument) => [argument.name, argumentOf(argument, node)]));
    const says = directive(field.astNode?.directives, 'listSize');
    const sizes = ((says?.['slicingArguments'] ?? []) as string[]).flatMap((path) => {
      const value = path.split('.').reduce<unknown>((inner, name) => (inner as Values | null | undefined)?.[name], args);
      return Array.isArray(value) ? [Math.min(100, value.length)] : typeof value === 'number' ? [Math.min(100, Math.max(0, value))] : [];
    });
    const size = sizes.length > 0 ? Math.max(...sizes) : ((says?.['assumedSize'] as number | undefined) ?? 100);
    const isList = isListType(getNullableType(field.type));
    const named = getNamedType(field.type);
    const below = says?.['sizedFields'] ? { names: says['sizedFields'], size } : null;
    let cost = weightOf(field.astNode?.directives) ?? 0;
    for (const argument of field.args) cost += inputCost(argument.astNode?.directives, argument.type, args[argument.name]);
    const count = !isList ? 1 : (sized?.names as string[] | undefined)?.includes(field.name) ? (sized?.size ?? 0) : size;
    // Without an answer all elements are alike.
    const elements: readonly unknown[] =
      answered === undefined || !isList ? [answered] : ((answered ?? []) as readonly unknown[]).filter((each) => each !== null);
    const times = answered === undefined ? count : 1;
    const types = isObjectType(named) ? [named] : isAbstractType(named) ? schema.getPossibleTypes(named) : [];
    for (const element of elements) {
      if (isLeafType(named)) cost += times * (weightOf(named.astNode?.directives) ?? 0);
      else
        cost +=
          times *
          Math.max(
            0,
            ...types.map(
              (type) =>
                (weightOf(type.astNode?.directives) ?? 1) +
                ofObject(
                  type,
                  nodes.flatMap(({ selectionSet }) => selectionSet ?? []),
                  element,
                  below,
                ),
            ),
          );
    }
    return cost;
  }

  /** Written out: fragments in their places, what is left out gone. */
  function fieldsOf(type: GraphQLObjectType, { selections }: SelectionSetNode): readonly FieldNode[] {
    return selections.filter(isThere).flatMap((node) => {
      if (node.kind === Kind.FIELD) return [node];
      const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.find(({ name }) => name.value === node.name.value);
      const condition = fragment?.typeCondition?.name.value ?? type.name;
      const isMeant = condition === type.name || type.getInterfaces().some(({ name }) => name === condition);
      return fragment !== undefined && isMeant ? fieldsOf(type, fragment.selectionSet) : [];
    });
  }

  function isThere({ directives = [] }: SelectionNode): boolean {
    return directives.every(({ name, arguments: given }) => {
      const value = given?.[0]?.value;
      const holds = value?.kind === Kind.VARIABLE ? values[value.name.value] : value && print(value) === 'true';
      return name.value === 'skip' ? holds !== true : holds === true;
    });
  }

  function argumentOf(
    { name, type, defaultValue }: { name: string; type: GraphQLInputType; defaultValue?: unknown },
    node: FieldNode,
  ): unknown {
    const given = node.arguments?.find((each) => each.name.value === name)?.value;
    const value = given === undefined ? undefined : literalValue(given);
    return value === undefined ? defaultValue : withDefaults(type, value);
  }

  function literalValue(value: ValueNode): unknown {
    if (value.kind === Kind.VARIABLE) return values[value.name.value];
    if (value.kind === Kind.LIST) return value.values.map(literalValue);
    if (value.kind === Kind.OBJECT) return Object.fromEntries(value.fields.map((field) => [field.name.value, literalValue(field.value)]));
    return valueFromASTUntyped(value);
  }

  function withDefaults(type: GraphQLInputType, value: unknown): unknown {
    const nullable = getNullableType(type);
    if (value === null || value === undefined) return value;
    if (isListType(nullable)) return (Array.isArray(value) ? value : [value]).map((each) => withDefaults(nullable.ofType, each));
    if (!isInputObjectType(nullable)) return value;
    const entries = Object.values(nullable.getFields()).map((field) => {
      const given = (value as Values)[field.name];
      return [field.name, given === undefined ? field.defaultValue : withDefaults(field.type, given)];
    });
    return Object.fromEntries(entries);
  }

  function inputCost(directives: readonly DirectiveNode[] | undefined, type: GraphQLInputType, value: unknown): number {
    const nullable = getNullableType(type);
    if (value === null || value === undefined) return 0;
    if (isListType(nullable))
      return (value as readonly unknown[]).reduce<number>((sum, each) => sum + inputCost(directives, nullable.ofType, each), 0);
    let cost = weightOf(directives) ?? weightOf(nullable.astNode?.directives) ?? 0;
    if (isInputObjectType(nullable))
      for (const field of Object.values(nullable.getFields()))
        cost += inputCost(field.astNode?.directives, field.type, (value as Values)[field.name]);
    return cost;
  }
}

function keyOf({ alias, name }: FieldNode): string {
  return alias?.value ?? name.value;
}

function weightOf(directives: readonly DirectiveNode[] | undefined): number | null {
  const weight = directive(directives, 'cost')?.['weight'];
  return weight === undefined ? null : Number(weight);
}

function directive(directives: readonly DirectiveNode[] | undefined, name: string): Values | null {
  const found = directives?.find((each) => each.name.value === name);
  return found === undefined
    ? null
    : Object.fromEntries((found.arguments ?? []).map((each) => [each.name.value, valueFromASTUntyped(each.value)]));
}
