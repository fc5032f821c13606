import { type GraphQLInputType, getNamedType, isEnumType, isInputObjectType, isListType, isNonNullType } from 'graphql';
import { decodeNodeId, encodeId, encodeMemberId, encodeMessageId, newUuid } from '../../../src/platform/id.ts';
import { typeOf, type Variables } from './operation.ts';

/** Far beyond the last. */
const NO_SEQUENCE = 999_999;

/**
 * The same values with another conversation in the place of one, or with other messages and members of the same: what does not exist, asked
 * for in the same way.
 */
export function createGhost(conversationId: string, of: 'conversation' | 'contents' = 'conversation') {
  const real = decodeNodeId(conversationId);
  if (real?.type !== 'Conversation') throw new Error(`Must be the id of a conversation, got ${conversationId}.`);
  const [realUuid, ghostUuid] = [real.uuid, of === 'contents' ? real.uuid : newUuid()];

  function ghostly(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(ghostly);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, ghostly(each)]));
    const node = typeof value === 'string' ? decodeNodeId(value) : null;
    if (node?.type === 'Conversation' && node.uuid === realUuid) return encodeId('cnv', ghostUuid);
    if (node?.type === 'Message' && node.conversationUuid === realUuid)
      return encodeMessageId(ghostUuid, of === 'contents' ? NO_SEQUENCE : node.sequence);
    if (node?.type === 'Member' && node.conversationUuid === realUuid)
      return encodeMemberId(ghostUuid, of === 'contents' ? newUuid() : node.userUuid);
    return value;
  }

  return {
    variables: (variables: Variables): Variables =>
      Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, ghostly(value)])),
    /** Whether the values name the conversation at all. */
    isNamedBy: (variables: Variables): boolean => JSON.stringify(ghostly(variables)) !== JSON.stringify(variables),
    /** What is said of the ghost, as if it were said of the real one: some complaints repeat what came. */
    unmask: (text: string): string => text.replaceAll(bodyOf(ghostUuid), bodyOf(realUuid)),
    /** Values that do not fit, one at a time, in the place of each that is not what names the conversation. */
    variations(field: string, variables: Variables): readonly Variables[] {
      const wrong = (type: GraphQLInputType): readonly unknown[] => [
        ...wrongValues(type),
        ...(getNamedType(type).name === 'ID' ? [encodeMessageId(realUuid, NO_SEQUENCE)] : []),
      ];
      return Object.entries(variables).flatMap(([name, value]) => {
        const type = typeOf(field, name);
        const named = isNonNullType(type) ? type.ofType : type;
        if (!isInputObjectType(named)) return wrong(type).map((each) => ({ ...variables, [name]: each }));
        const given = typeof value === 'object' && value !== null ? value : {};
        return Object.values(named.getFields()).flatMap((inner) =>
          wrong(inner.type).map((each) => ({ ...variables, [name]: { ...given, [inner.name]: each } })),
        );
      });
    },
  };
}

/** The part of an id that stands for the conversation. */
function bodyOf(uuid: string): string {
  return encodeId('cnv', uuid).slice('cnv_'.length);
}

/** Values that a field may well complain of. */
function wrongValues(type: GraphQLInputType): readonly unknown[] {
  return isNonNullType(type) ? wrongOf(type.ofType) : [null, ...wrongOf(type)];
}

function wrongOf(type: GraphQLInputType): readonly unknown[] {
  if (isNonNullType(type)) return wrongValues(type);
  if (isListType(type)) return [[], ...wrongValues(type.ofType).map((each) => [each])].filter(([first]) => first !== null);
  if (isEnumType(type)) return type.getValues().map(({ name }) => name);
  switch (type.name) {
    case 'ID':
      return ['nonsense', encodeId('usr', newUuid()), encodeId('cnv', newUuid())];
    case 'String':
      return ['', ' ', '\u0000', 'x'.repeat(20_000)];
    case 'Int':
      return [-1, 0, 2 ** 31 - 1];
    case 'Boolean':
      return [true, false];
    default:
      return ['forged'];
  }
}
