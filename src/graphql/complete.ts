import type { Resolver } from './schema.generated.ts';

/**
 * The resolvers of a type, with every field that its model cannot answer made mandatory: a field added to the schema fails to
 * compile until it has a resolver, or the model has it with a fitting type. Costs nothing at run time.
 *
 * It compares types, not meanings: a field of the model with the same name and type is taken for the answer.
 */
export type Complete<Resolvers, Model> = Resolvers & Required<Pick<Resolvers, Unanswered<Resolvers, Model>>>;

/** Absent from the model, or of another type there. */
type Unanswered<Resolvers, Model> = {
  [Field in keyof Resolvers]-?: Field extends '__isTypeOf'
    ? never
    : Field extends keyof Model
      ? NonNullable<Resolvers[Field]> extends Resolver<infer Result, never, never, never>
        ? Model[Field] extends Awaited<Result>
          ? never
          : Field
        : never
      : Field;
}[keyof Resolvers];
