import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import type { Random } from '../../../src/seed/random.ts';

export type RandomDocument = { readonly source: string; readonly variables: Readonly<Record<string, unknown>> };

const DEPTH_MAX = 6;
/** Fields and fragments of one document. */
const PARTS_MAX = 80;

/**
 * A valid query over anything the schema has: fields with arguments given in every way there is, fragments within fragments, conditions,
 * what is selected twice.
 */
export function randomDocument(schema: GraphQLSchema, random: Random): RandomDocument {
  const declared: string[] = [];
  const variables: Record<string, unknown> = {};
  const fragments: { readonly name: string; readonly type: string; readonly text: string }[] = [];
  const { chance, whole } = random;
  let parts = 0;
  const root = schema.getQueryType();
  if (!root) throw new Error('The schema must have queries.');

  const selected = selection(root, DEPTH_MAX);
  const head = declared.length === 0 ? 'query Random' : `query Random(${declared.join(', ')})`;
  const used = fragments.map(({ name, type, text }) => `fragment ${name} on ${type} ${text}`);
  return { source: `${head} ${selected}\n${used.join('\n')}`, variables };

  function selection(type: GraphQLCompositeType, depth: number): string {
    const texts = ['__typename'];
    for (let count = whole(1, 4); count > 0; count -= 1) if (++parts <= PARTS_MAX) texts.push(part(type, depth));
    return `{ ${texts.join(' ')} }`;
  }

  function part(type: GraphQLCompositeType, depth: number): string {
    const kind = random.fraction();
    if (kind < 0.15) return `...${condition()} ${selection(type, depth)}`;
    if (kind < 0.35 || !('getFields' in type)) {
      const narrower = isAbstractType(type) ? pick(schema.getPossibleTypes(type)) : type;
      if (narrower === undefined) return '__typename';
      return chance(0.5)
        ? `... on ${narrower.name}${condition()} ${selection(narrower, depth)}`
        : `...${fragment(narrower, depth)}${condition()}`;
    }
    const found = pick(Object.values(type.getFields()).filter((each) => depth > 0 || !isCompositeType(getNamedType(each.type))));
    return found === undefined ? '__typename' : field(type, found, depth);
  }

  function fragment(type: GraphQLObjectType, depth: number): string {
    const known = pick(fragments.filter((each) => each.type === type.name));
    // Made before it is used, so no fragment comes to spread itself; one that was made deeper may be used again further up.
    if (known !== undefined && chance(0.6)) return known.name;
    const text = selection(type, depth - 1);
    const name = `F${fragments.length}`;
    fragments.push({ name, type: type.name, text });
    return name;
  }

  function field(type: { readonly name: string }, found: GraphQLField<unknown, unknown>, depth: number): string {
    const given = found.args.flatMap((argument) =>
      isRequiredArgument(argument) || chance(0.6) ? `${argument.name}: ${argumentValue(argument)}` : [],
    );
    const args = given.length === 0 ? '' : `(${given.join(', ')})`;
    // The same in the same place has the same name, so that it is merged; what differs must not have it.
    const key = `${found.name}_${type.name}${args.replaceAll(/\W/g, '_')}`;
    const named = getNamedType(found.type);
    return `${key}: ${found.name}${args}${condition()}${isCompositeType(named) ? ` ${selection(named, depth - 1)}` : ''}`;
  }

  function argumentValue({ type, defaultValue }: GraphQLArgument): string {
    const way = random.fraction();
    if (way < 0.4) return literal(type, true);
    const isOptional = way < 0.5 && isNonNullType(type) && defaultValue !== undefined;
    return variable(isOptional ? type.ofType : type, isOptional);
  }

  function variable(type: GraphQLInputType, mustBeAbsent = false): string {
    const name = `v${declared.length}`;
    const hasDefault = !mustBeAbsent && chance(0.3);
    declared.push(`$${name}: ${type}${hasDefault ? ` = ${literal(type, false)}` : ''}`);
    if (!mustBeAbsent && !(hasDefault && chance(0.7))) variables[name] = JSON.parse(json(type));
    return `$${name}`;
  }

  function condition(): string {
    if (!chance(0.1)) return '';
    const name = chance(0.5) ? 'skip' : 'include';
    if (chance(0.5)) return ` @${name}(if: ${chance(0.5)})`;
    const asked = `v${declared.length}`;
    declared.push(`$${asked}: Boolean!`);
    variables[asked] = chance(0.5);
    return ` @${name}(if: $${asked})`;
  }

  function literal(type: GraphQLInputType, mayHoldVariables: boolean): string {
    if (!isNonNullType(type) && chance(0.1)) return 'null';
    const nullable = isNonNullType(type) ? type.ofType : type;
    if (isListType(nullable))
      return `[${Array.from({ length: whole(0, 3) }, () => literal(nullable.ofType, mayHoldVariables)).join(', ')}]`;
    if (isEnumType(nullable)) return nullable.getValues()[0]?.name ?? 'null';
    if (!isInputObjectType(nullable)) return scalar(nullable.name);
    const fields = Object.values(nullable.getFields()).filter((each) => isRequiredInputField(each) || chance(0.4));
    const texts = fields.map((each) => {
      // A variable that may be null must not stand where null must not.
      const isVariable = mayHoldVariables && chance(0.4);
      return `${each.name}: ${isVariable ? variable(each.type) : literal(each.type, mayHoldVariables)}`;
    });
    return `{ ${texts.join(', ')} }`;
  }

  function json(type: GraphQLInputType): string {
    if (!isNonNullType(type) && chance(0.1)) return 'null';
    const nullable = isNonNullType(type) ? type.ofType : type;
    if (isListType(nullable)) return `[${Array.from({ length: whole(0, 3) }, () => json(nullable.ofType)).join(',')}]`;
    if (isEnumType(nullable)) return JSON.stringify(nullable.getValues()[0]?.name);
    if (!isInputObjectType(nullable)) return scalar(nullable.name);
    const fields = Object.values(nullable.getFields()).filter((each) => isRequiredInputField(each) || chance(0.4));
    return `{${fields.map((each) => `"${each.name}":${json(each.type)}`).join(',')}}`;
  }

  function scalar(name: string): string {
    if (name === 'Int') return String(pick([0, 1, 2, 3, 7, 20, 100, 1_000, -1]));
    if (name === 'Boolean') return String(chance(0.5));
    return '"x"';
  }

  function pick<Item>(items: readonly Item[]): Item | undefined {
    return items[whole(0, items.length - 1)];
  }
}
