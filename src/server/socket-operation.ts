import { type ExecutionArgs, type ExecutionResult, type GraphQLError, getOperationAST } from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import type { Context } from '../graphql/context.ts';
import { refusal } from '../graphql/errors.ts';
import type { Operation } from './graphql-socket.ts';
import type { Pipeline } from './pipeline.ts';

type Run = (args: ExecutionArgs) => unknown;

/** What an operation is run with; graphql-ws hands it back, and the pipeline's own functions travel in `rootValue`. */
export type SocketOperation = ExecutionArgs & {
  readonly contextValue: Context;
  readonly rootValue: { readonly execute: Run; readonly subscribe: Run };
  readonly operation: Operation;
};

/** Takes an operation through parsing, validation and context, as Yoga does for HTTP. Throws, or returns what validation found. */
export async function prepareOperation(
  { yoga }: Pipeline,
  context: Context,
  { query, operationName, variables, extensions }: SubscribePayload,
  operation: Operation,
): Promise<SocketOperation | readonly GraphQLError[]> {
  const params = { query, operationName, variables, extensions };
  const { schema, parse, validate, contextFactory, execute, subscribe } = yoga.getEnveloped({ ...context, params });
  const document = parse(query);
  const errors: readonly GraphQLError[] = validate(schema, document);
  if (errors.length > 0) return errors;
  if ((getOperationAST(document, operationName) ?? null) === null) {
    return [refusal('GRAPHQL_VALIDATION_FAILED', 'Could not determine what operation to execute.')];
  }
  return {
    schema,
    document,
    // Our context, which plugins may have added to.
    contextValue: (await contextFactory()) as Context,
    ...(typeof operationName === 'string' ? { operationName } : {}),
    ...(variables === undefined || variables === null ? {} : { variableValues: variables }),
    rootValue: { execute, subscribe },
    operation,
  };
}

/** Whatever an operation throws is its own result: the socket and its other operations live on. */
export async function attempt(
  kind: 'execute' | 'subscribe',
  args: ExecutionArgs,
): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>> {
  const { rootValue, operation: _, ...rest } = args as SocketOperation; // As prepared above.
  try {
    // What the pipeline answers is one of the two; its types say `any`.
    const answer = (await rootValue[kind](rest)) as ExecutionResult | AsyncIterableIterator<ExecutionResult>;
    const error = kind === 'subscribe' && 'errors' in answer ? answer.errors?.[0] : undefined;
    return error === undefined ? answer : failing(error);
  } catch (error) {
    return failing(error); // It was refused before it ran.
  }
}

/** What could not begin: told by an `error` message, as there is no event or answer that the errors could belong to. */
function failing(error: unknown): AsyncIterableIterator<ExecutionResult> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => Promise.reject(error),
    return: async () => ({ done: true, value: undefined }),
  };
}
