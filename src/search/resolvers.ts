import DataLoader from 'dataloader';
import { forwardPage } from '../graphql/connection.ts';
import { requireViewer } from '../graphql/context.ts';
import { edge } from '../graphql/edges.ts';
import { perRequest } from '../graphql/per-request.ts';
import type { Resolvers } from '../graphql/schema.generated.ts';
import type { Snapshots } from '../graphql/snapshot.ts';
import type { CursorCodec } from '../platform/cursor.ts';
import { conversationUuid, userUuid } from '../platform/id-arguments.ts';
import type { HighlightsRequest } from './highlighter.ts';
import type { TextRange } from './highlights.ts';
import type { Search } from './search.ts';

export type SearchResolversDependencies = { readonly search: Search; readonly codec: CursorCodec; readonly snapshots: Snapshots };

export function createSearchResolvers({ search, codec, snapshots }: SearchResolversDependencies): Resolvers {
  const highlights = perRequest(({ signal }) => {
    const mark = search.highlights(signal);
    return new DataLoader<HighlightsRequest, readonly TextRange[]>(async (requests) => [...(await mark(requests))], { cache: false });
  });

  return {
    Viewer: {
      async searchMessages(_, { query, conversationId, authorId, since = null, until = null, ...args }, context) {
        const viewer = requireViewer(context);
        const { first, after } = forwardPage(args);
        const request = {
          query,
          conversationUuid: conversationId ? conversationUuid('conversationId', conversationId) : null,
          authorUuid: authorId ? userUuid('authorId', authorId) : null,
          since,
          until,
        };
        const list = `search:${viewer.userUuid}:${JSON.stringify(request)}`;
        const [atUs, conversationKey, sequence] = after === null ? [] : codec.decode('after', list, after).map(Number);
        const before =
          atUs === undefined || conversationKey === undefined || sequence === undefined ? null : { atUs, conversationKey, sequence };
        const { found, condition } = await search.everywhere(viewer, { ...request, before, limit: first + 1 }, context.signal);
        for (const { message, sequence, lastAtUs } of found)
          snapshots.note(context, message.conversationUuid, { sequence, atUs: lastAtUs });
        const edges = found
          .slice(0, first)
          .map(({ message, place }) =>
            Object.assign(edge(codec, list, [place.atUs, place.conversationKey, place.sequence], message), { found: condition }),
          );
        return { edges, hasNextPage: found.length > first, hasPreviousPage: after !== null };
      },
    },

    MessageEdge: {
      highlights: ({ node, found }, _, context) =>
        found === undefined ? [] : highlights(context).load({ body: node.body, condition: found }),
    },
  };
}
