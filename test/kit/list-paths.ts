import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';

/** A way from Query to a list, through others or not, such as `viewer.conversations.members`. */
export type ListPath = { readonly name: string; readonly lists: number; readonly steps: readonly Step[] };
type Step = {
  readonly field: GraphQLField<unknown, unknown>;
  readonly type: GraphQLObjectType;
  readonly kind: 'object' | 'connection' | 'array';
};

/** One list within another shows what a loader does; some lists are only reached through two others. */
const LISTS_MAX = 3;
/** Fields of objects that lead from one list to the next. */
const OBJECTS_MAX = 1;

/** All ways to lists of objects, each field once at most. `required`: the fields with arguments that must be given. */
export function listPaths(schema: GraphQLSchema, required: ReadonlySet<string>): readonly ListPath[] {
  const query = schema.getQueryType();
  if (!query) throw new Error('A schema must have queries.');
  return [...walk(query, [])];

  function* walk(parent: GraphQLObjectType, before: readonly Step[]): Generator<ListPath> {
    for (const field of Object.values(parent.getFields())) {
      const step = stepOf(field);
      if (step === null || before.some((earlier) => earlier.field === field)) continue;
      if (field.args.some(isRequiredArgument) && !required.has(`${parent.name}.${field.name}`)) continue;
      const steps = [...before, step];
      const lists = steps.filter(({ kind }) => kind !== 'object').length;
      if (lists > LISTS_MAX || steps.length - lists > OBJECTS_MAX) continue;
      if (step.kind !== 'object') yield { name: steps.map((each) => each.field.name).join('.'), lists, steps };
      yield* walk(step.type, steps);
    }
  }
}

function stepOf(field: GraphQLField<unknown, unknown>): Step | null {
  const type = getNamedType(field.type);
  if (!isObjectType(type)) return null;
  const nodes = type.name.endsWith('Connection') ? getNamedType(type.getFields()['nodes']?.type) : undefined;
  if (isObjectType(nodes)) return { field, type: nodes, kind: 'connection' };
  return { field, type, kind: isListType(isNonNullType(field.type) ? field.type.ofType : field.type) ? 'array' : 'object' };
}

/** Asks for everything about each element of the last list; `size` elements of every list whose length can be chosen. */
export function queryOf({ steps }: ListPath, size: number, given: Readonly<Record<string, string>>): string {
  const selection = steps.toReversed().reduce(
    (inner, { field, kind }, index) => {
      const length = ['last', 'first'].find((name) => field.args.some((argument) => argument.name === name));
      const arguments_ = [index === steps.length - 1 ? given[field.name] : undefined, length && `${length}: ${size}`]
        .filter((each) => each !== undefined)
        .join(', ');
      return `${field.name}${arguments_ === '' ? '' : `(${arguments_})`} { ${kind === 'connection' ? `nodes { ${inner} }` : inner} }`;
    },
    everythingOf(steps.at(-1)?.type),
  );
  return `{ ${selection} }`;
}

function everythingOf(type: GraphQLObjectType | undefined): string {
  const fields = Object.values(type?.getFields() ?? {}).filter(({ args }) => !args.some(isRequiredArgument));
  return fields
    .flatMap((field) => {
      if (isLeafType(getNamedType(field.type))) return [field.name];
      return stepOf(field)?.kind === 'object' ? [`${field.name} { __typename }`] : [];
    })
    .join(' ');
}

/** How many elements the last list of the path has, in all of its places. */
export function elementsOf({ steps }: ListPath, answer: unknown): number {
  let places: readonly unknown[] = [answer];
  for (const { field, kind } of steps) {
    places = places.flatMap((place) => {
      // Answered as the query says.
      const value = (place as Readonly<Record<string, unknown>> | null)?.[field.name] as
        | { readonly nodes: readonly unknown[] }
        | readonly unknown[]
        | null;
      if (value === null || value === undefined) return [];
      return 'nodes' in value && kind === 'connection' ? value.nodes : value;
    });
  }
  return places.length;
}
