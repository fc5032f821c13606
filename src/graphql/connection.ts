import { badInput } from '../platform/errors.ts';

/** A page of a list, as the Relay specification has it. */
export type Connection<Node> = {
  readonly edges: readonly Edge<Node>[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
};

export type Edge<Node> = { readonly cursor: string; readonly node: Node };

/** A page that also says how long the whole list is. */
export type CountedConnection<Node> = Connection<Node> & { readonly totalCount: number };

export const PAGE_SIZE_MAX = 100;

export type PageInfo = {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
};

export function pageInfo({ edges, hasNextPage, hasPreviousPage }: Connection<unknown>): PageInfo {
  return { hasNextPage, hasPreviousPage, startCursor: edges[0]?.cursor ?? null, endCursor: edges.at(-1)?.cursor ?? null };
}

/** The resolvers that all connection types share; `edges` and `totalCount` are answered by the model. */
export function connectionResolvers<Node>() {
  return {
    nodes: ({ edges }: Connection<Node>): readonly Node[] => edges.map(({ node }) => node),
    pageInfo: (connection: Connection<Node>): PageInfo => pageInfo(connection),
  };
}

export type ForwardPage = { readonly first: number; readonly after: string | null };

/** The arguments of a list that is read forward, checked. BAD_USER_INPUT when `first` is out of bounds. */
export function forwardPage({ first, after }: { readonly first: number; readonly after?: string | null | undefined }): ForwardPage {
  return { first: checkPageSize('first', first), after: after ?? null };
}

/** BAD_USER_INPUT when the size of a page is not 1 to 100. */
export function checkPageSize(field: string, size: number): number {
  if (size < 1 || size > PAGE_SIZE_MAX) throw badInput(field, `${field} must be 1 to ${PAGE_SIZE_MAX}, got ${size}.`);
  return size;
}
