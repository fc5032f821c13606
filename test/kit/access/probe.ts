import { type GraphQLResolveInfo, responsePathAsArray } from 'graphql';
import type { Context } from '../../../src/graphql/context.ts';
import type { ResolverParts } from '../../../src/graphql/schema.ts';

/** That a resolver was called: with the conversation as the viewer sees it, or with a row that was read for nobody. */
export type Reach = 'viewed' | 'raw';

const PROBED = ['Query', 'Mutation', 'Subscription', 'User', 'Conversation'];

/**
 * The resolvers with a mark left wherever one of a root field or of a conversation's field is called, so that it can be told whether it was
 * the check in front that refused. `contextFor` answers the context that the others get: with another one they leak.
 */
export function createProbe(parts: ResolverParts, contextFor: (context: Context) => Context = (context) => context) {
  // By the number of the request, which the contexts of a stream's events share.
  const marks = new Map<string, Map<string, Reach>>();

  function mark(context: Context, path: string, parent: unknown): void {
    const isViewed = typeof parent === 'object' && parent !== null && 'viewerMembership' in parent && parent.viewerMembership !== undefined;
    const known = marks.get(context.requestId) ?? new Map<string, Reach>();
    marks.set(context.requestId, known.set(path, isViewed ? 'viewed' : 'raw'));
  }

  function probed(type: string, resolver: unknown): unknown {
    if (typeof resolver === 'object' && resolver !== null && 'subscribe' in resolver)
      return { ...resolver, subscribe: probed(type, resolver.subscribe) };
    if (typeof resolver !== 'function') return resolver;
    return (parent: unknown, args: unknown, context: Context, info: GraphQLResolveInfo) => {
      mark(context, responsePathAsArray(info.path).join('.'), parent);
      return resolver(parent, args, type === 'Conversation' ? context : contextFor(context), info);
    };
  }

  const probedParts = parts.map((part) =>
    Object.fromEntries(
      Object.entries(part).map(([type, fields]) => [
        type,
        PROBED.includes(type)
          ? Object.fromEntries(Object.entries(fields).map(([name, resolver]) => [name, probed(type, resolver)]))
          : fields,
      ]),
    ),
  );
  return {
    // The same resolvers under the same names, each in a function that has its arguments and its answer.
    parts: probedParts as ResolverParts,
    reachOf: (context: Context, path: string): Reach | null => marks.get(context.requestId)?.get(path) ?? null,
  };
}
