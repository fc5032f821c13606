import { badInput } from '../platform/errors.ts';
import { decodeNodeId, type NodeId } from '../platform/id.ts';
import { type Context, requireViewer } from './context.ts';
import type { Resolvers, ResolversTypes } from './schema.generated.ts';

export const NODE_IDS_MAX = 100;

type NodeModel = Awaited<ResolversTypes['Node']>;

/** How each type's entity is found by its id: null when there is none that the viewer may see. */
export type NodeFinders = {
  readonly user: (context: Context, uuid: string) => Promise<object | null>;
  readonly viewer: (context: Context, uuid: string) => Promise<object | null>;
  readonly session: (context: Context, uuid: string) => Promise<object | null>;
  readonly conversation: (context: Context, uuid: string) => Promise<object | null>;
  readonly message: (context: Context, conversationUuid: string, sequence: number) => Promise<object | null>;
  readonly member: (context: Context, conversationUuid: string, userUuid: string) => Promise<object | null>;
};

/** `node` and `nodes`: what does not exist, what may not be seen and what is no id at all have the same answer. */
export function createNodeResolvers(finders: NodeFinders): Resolvers {
  async function find(context: Context, id: string): Promise<NodeModel | null> {
    const node = decodeNodeId(id);
    if (node === null) return null;
    const found = await dispatch(finders, context, node);
    // Each finder answers its type's model, which the name then tells apart.
    return found === null ? null : ({ ...found, __typename: node.type } as NodeModel);
  }

  return {
    Node: { __resolveType: (node) => node.__typename },
    Query: {
      node(_, { id }, context) {
        requireViewer(context);
        return find(context, id);
      },
      nodes(_, { ids }, context) {
        requireViewer(context);
        if (ids.length > NODE_IDS_MAX) throw badInput('ids', `ids must be at most ${NODE_IDS_MAX}, got ${ids.length}.`);
        return Promise.all(ids.map((id) => find(context, id)));
      },
    },
  };
}

function dispatch(finders: NodeFinders, context: Context, id: NodeId): Promise<object | null> {
  switch (id.type) {
    case 'User':
      return finders.user(context, id.uuid);
    case 'Viewer':
      return finders.viewer(context, id.uuid);
    case 'Session':
      return finders.session(context, id.uuid);
    case 'Conversation':
      return finders.conversation(context, id.uuid);
    case 'Message':
      return finders.message(context, id.conversationUuid, id.sequence);
    case 'Member':
      return finders.member(context, id.conversationUuid, id.userUuid);
  }
}
