import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionSetNode,
} from 'graphql';
import type { ObjectPlan, ValuePlan } from './execution-plan.ts';

/**
 * The fields that an event, or a page of messages, answers by itself, in the same way for everybody who receives it: their resolvers read
 * nothing and do not look at the viewer. What is not named here is answered for each viewer; so is every field whose answer could differ.
 */
const ANSWERED_BY_ITSELF: Readonly<Record<string, readonly string[]>> = {
  MessageSent: ['conversationId', 'sequence', 'previousSequence', 'cursor', 'occurredAt', 'message', 'messageEdge'],
  MessageChanged: ['conversationId', 'sequence', 'previousSequence', 'cursor', 'occurredAt', 'message', 'messageEdge', 'messageChange'],
  MemberChanged: ['conversationId', 'sequence', 'previousSequence', 'cursor', 'occurredAt', 'user', 'member', 'memberChange'],
  ConversationChanged: ['conversationId', 'sequence', 'previousSequence', 'cursor', 'occurredAt', 'conversation'],
  TypingChanged: ['conversationId', 'sequence', 'previousSequence', 'cursor', 'occurredAt', 'user', 'isTyping'],
  ReadMoved: ['conversationId', 'sequence', 'previousSequence', 'cursor', 'occurredAt', 'user', 'position'],
  PresenceChanged: ['conversationId', 'sequence', 'previousSequence', 'cursor', 'occurredAt', 'user', 'presence'],
  CaughtUp: ['conversationId', 'sequence', 'previousSequence', 'cursor', 'occurredAt'],
  MessageConnection: ['edges', 'nodes', 'pageInfo'],
  PageInfo: ['hasNextPage', 'hasPreviousPage', 'startCursor', 'endCursor'],
  MessageEdge: ['cursor', 'node'],
  Message: [
    'id',
    'clientMessageId',
    'author',
    'position',
    'body',
    'bodyHtml',
    'replyCount',
    'reactions',
    'mentions',
    'mentionsAll',
    'pinnedAt',
    'createdAt',
    'editedAt',
    'deletedAt',
  ],
  ReactionGroup: ['emoji', 'count'],
  User: ['id', 'handle', 'displayName', 'avatarUrl', 'createdAt'],
  Member: ['id', 'user', 'role', 'joinedAt', 'readPosition'],
  Conversation: ['id', 'kind', 'title', 'topic'],
};

/** Coordinates such as `Message.body`, for tests. */
export const SHAREABLE_COORDINATES: readonly string[] = Object.entries(ANSWERED_BY_ITSELF).flatMap(([type, fields]) =>
  fields.map((field) => `${type}.${field}`),
);

function isNamed(typeName: string, field: string): boolean {
  return ANSWERED_BY_ITSELF[typeName]?.includes(field) === true;
}

/** What two subscriptions must have in common for one execution to answer both, besides the event. */
export type Sharing = {
  /** The document as it is when nothing but its meaning counts, and the name of its operation. */
  readonly text: string;
  /** Variables that its answer depends on. Those of the root field's arguments do not count: they say which events come, not how they look. */
  readonly variables: readonly string[];
};

/**
 * Null for a subscription that asks for more than its events answer, be it in a fragment or under a condition. Each fragment is looked into
 * once, so that fragments which double each other cost no more than their text.
 */
export function sharingOf(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): Sharing | null {
  const root = schema.getSubscriptionType();
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const variables = new Set<string>();
  const visited = new Set<string>();

  function isAnswered(typeName: string, { selections }: SelectionSetNode): boolean {
    return selections.every((selection) => {
      for (const directive of selection.directives ?? []) noteVariables(directive);
      switch (selection.kind) {
        case Kind.FIELD:
          return isFieldAnswered(typeName, selection);
        case Kind.INLINE_FRAGMENT:
          return isAnswered(selection.typeCondition?.name.value ?? typeName, selection.selectionSet);
        case Kind.FRAGMENT_SPREAD: {
          const fragment = fragments.get(selection.name.value);
          if (fragment === undefined) return false;
          if (visited.has(selection.name.value)) return true;
          visited.add(selection.name.value);
          return isAnswered(fragment.typeCondition.name.value, fragment.selectionSet);
        }
        default:
          return false;
      }
    });
  }

  function isFieldAnswered(typeName: string, { name: { value: name }, arguments: given = [], selectionSet }: FieldNode): boolean {
    if (name === '__typename') return true;
    const type = schema.getType(typeName);
    // A field of an interface is answered if every type that it may be of answers it.
    const types = isAbstractType(type) ? schema.getPossibleTypes(type) : isObjectType(type) ? [type] : [];
    return types.every((each) => {
      const field = each.getFields()[name];
      const isByEvent = each === root || (isNamed(each.name, name) && given.length === 0);
      return isByEvent && field !== undefined && (selectionSet === undefined || isAnswered(getNamedType(field.type).name, selectionSet));
    });
  }

  function noteVariables({ arguments: given = [] }: DirectiveNode): void {
    for (const { value } of given) if (value.kind === Kind.VARIABLE) variables.add(value.name.value);
  }

  if (root === undefined || root === null || !isAnswered(root.name, operation.selectionSet)) return null;
  return { text: `${operation.name?.value ?? ''}\n${print(document)}`, variables: [...variables].sort() };
}

const answeredForAll = new WeakMap<ObjectPlan, boolean>();

/** Whether all that is asked of an object is answered by itself, for everybody in the same way. */
export function isAnsweredForAll(plan: ObjectPlan): boolean {
  const known = answeredForAll.get(plan);
  if (known !== undefined) return known;
  const isAnswered = plan.fields.every(
    ({ field, name, parentType, value }) =>
      field === null || (isNamed(parentType.name, name) && field.args.length === 0 && isValueAnswered(value)),
  );
  answeredForAll.set(plan, isAnswered);
  return isAnswered;
}

/** What may be of several types is looked at for each viewer. */
function isValueAnswered(value: ValuePlan): boolean {
  switch (value.kind) {
    case 'leaf':
      return true;
    case 'list':
      return isValueAnswered(value.item);
    case 'object':
      return isAnsweredForAll(value.below());
    case 'abstract':
      return false;
  }
}
