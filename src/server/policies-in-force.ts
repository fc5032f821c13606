import type { GraphQLSchema } from 'graphql';
import { LimitsFileError } from '../config/limits-file.ts';
import { unknownFields } from '../graphql/limited-fields.ts';
import type { LimitPolicies } from '../platform/rate-limit-policies.ts';

/** The policies that hold now, and how they are read anew. */
export class PoliciesInForce {
  readonly #read: () => LimitPolicies;
  #schema: GraphQLSchema | null = null;
  #current: LimitPolicies;

  /** Throws what reading them throws. */
  constructor(read: () => LimitPolicies) {
    this.#read = read;
    this.#current = read();
  }

  readonly current = (): LimitPolicies => this.#current;

  /** Throws LimitsFileError when they name a field that is not there; from now on so does `reload`. */
  checkAgainst(schema: GraphQLSchema): void {
    check(schema, this.#current);
    this.#schema = schema;
  }

  /** Throws when something is wrong with them; then those of before stay. */
  reload(): void {
    const read = this.#read();
    if (this.#schema !== null) check(this.#schema, read);
    this.#current = read;
  }
}

function check(schema: GraphQLSchema, policies: LimitPolicies): void {
  const problems = unknownFields(schema, policies);
  if (problems.length > 0) throw new LimitsFileError('LIMITS_FILE', problems);
}
