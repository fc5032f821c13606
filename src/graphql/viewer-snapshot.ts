import { type DocumentNode, type ExecutionArgs, TypeInfo, visit, visitWithTypeInfo } from 'graphql';
import type { Context } from './context.ts';
import { perRequest } from './per-request.ts';

export type ViewerSnapshots = {
  /** To be awaited before an operation is executed. Answers undefined at once for operations that ask for no such cursor. */
  prepare(args: ExecutionArgs): Promise<unknown> | undefined;
  xminOf(context: Context): Promise<number>;
};

/**
 * `Viewer.cursor` names the oldest transaction that was unfinished when the answer was read. For nothing to lie between the answer
 * and the stream it must be taken before anything else is read, so it is the first statement of an operation that asks for it.
 */
export function createViewerSnapshots({ readXmin }: { readonly readXmin: () => Promise<number> }): ViewerSnapshots {
  const asked = new WeakMap<DocumentNode, boolean>();
  const xminOf = perRequest(() => readXmin());
  return {
    prepare({ document, schema, contextValue }) {
      let isAsked = asked.get(document);
      if (isAsked === undefined) {
        isAsked = selectsViewerCursor(document, new TypeInfo(schema));
        asked.set(document, isAsked);
      }
      // The server makes the context, and it is ours.
      return isAsked ? xminOf(contextValue as Context) : undefined;
    },
    xminOf,
  };
}

function selectsViewerCursor(document: DocumentNode, types: TypeInfo): boolean {
  let isFound = false;
  visit(
    document,
    visitWithTypeInfo(types, {
      Field({ name }) {
        if (name.value === 'cursor' && types.getParentType()?.name === 'Viewer') isFound = true;
      },
    }),
  );
  return isFound;
}
