import {
  defaultTypeResolver,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLResolveInfo,
  locatedError,
  responsePathAsArray,
} from 'graphql';
import { type Eventual, isPromise } from './eventual.ts';
import {
  type Arguments,
  coordinateOf,
  type FieldPlan,
  type ObjectPlan,
  type OperationPlan,
  resolverOf,
  runtimeType,
  type ValuePlan,
} from './execution-plan.ts';
import { isAnsweredForAll } from './shareable.ts';
import { SharedSource, writtenOnce } from './shared-source.ts';
import { argumentValues } from './variable-values.ts';

type Path = GraphQLResolveInfo['path'];
/** Where something stands; undefined: the whole answer. */
type Place = Path | undefined;
type Data = Record<string, unknown>;

/** What resolvers are given before it: those that take no more have no use for the rest, which is costly to make. */
const INFO_PARAMETER = 3;

/** One execution of an operation by its plan. */
export class Execution {
  readonly #plan: OperationPlan;
  readonly #rootValue: unknown;
  readonly #context: unknown;
  readonly #variables: Readonly<Data>;
  readonly #repeats = new Map<ObjectPlan, Repeats>();
  /** Of fields and elements, whether they were told or not. */
  #failures = 0;
  readonly #errors: GraphQLError[] = [];
  /** Where errors have made something null: what fails below is not told any more. */
  readonly #failedAt = new Set<string>();

  constructor(plan: OperationPlan, { rootValue, contextValue }: ExecutionArgs, variables: Readonly<Data>) {
    this.#plan = plan;
    this.#rootValue = rootValue;
    this.#context = contextValue;
    this.#variables = variables;
  }

  run(): Eventual<ExecutionResult> {
    try {
      const root = this.#plan.root();
      const isSerial = this.#plan.operation.operation === 'mutation';
      const data = isSerial ? this.#serially(root, this.#rootValue) : this.#object(root, this.#rootValue, undefined);
      return isPromise(data)
        ? data.then(
            (late) => this.#answer(late),
            (error: unknown) => this.#failed(error),
          )
        : this.#answer(data);
    } catch (error) {
      return this.#failed(error);
    }
  }

  #answer(data: Data | null): ExecutionResult {
    return this.#errors.length === 0 ? { data } : { errors: this.#errors, data };
  }

  /** What is located below the answer, so that the whole of it is null. */
  #failed(error: unknown): ExecutionResult {
    this.#tell(error as GraphQLError, undefined); // Located where it was thrown.
    return this.#answer(null);
  }

  /** Changes are made one after the other. */
  async #serially({ fields }: ObjectPlan, source: unknown): Promise<Data> {
    const data: Data = {};
    for (const field of fields) data[field.key] = await this.#field(field, source, undefined);
    return data;
  }

  #object({ fields }: ObjectPlan, source: unknown, place: Place): Eventual<Data> {
    const data: Data = {};
    let late: Late[] | null = null;
    try {
      for (const field of fields) {
        const value = this.#field(field, source, place);
        data[field.key] = value;
        if (!isPromise(value)) continue;
        late ??= [];
        late.push({ key: field.key, value });
      }
    } catch (error) {
      if (late === null) throw error;
      // The others may fail, too, and are waited for.
      return settle(data, late).finally(() => {
        throw error;
      });
    }
    return late === null ? data : settle(data, late);
  }

  /**
   * What the same thing comes to at the same place of an operation, such as the author of most messages of a page, is worked out once, unless it
   * failed or has to be waited for. Where hardly anything comes again, no more is remembered.
   */
  #once(plan: ObjectPlan, source: unknown, place: Place): Eventual<Data> {
    const repeats = this.#repeats.get(plan) ?? { found: new Map<unknown, Data>(), hits: 0 };
    if (repeats.found.size === 0) this.#repeats.set(plan, repeats);
    const before = repeats.found.get(source);
    if (before !== undefined) {
      repeats.hits += 1;
      return before;
    }
    const failures = this.#failures;
    const data = this.#object(plan, source, place);
    if (repeats.found.size <= repeats.hits + REPEATS_AWAITED && this.#isWhole(data, failures)) repeats.found.set(source, data);
    return data;
  }

  /** What is the same for everybody is worked out for the first who asks. */
  #shared(plan: ObjectPlan, source: SharedSource, place: Place): Eventual<Data> {
    const known = source.answers.get(plan);
    if (known !== undefined && isAnsweredForAll(plan)) return writtenOnce(known);
    const failures = this.#failures;
    const data = this.#object(plan, source, place);
    if (this.#isWhole(data, failures)) source.answers.set(plan, data);
    return data;
  }

  /** Whether it may be given again: each place has errors of its own, and what is late has looked at something else. */
  #isWhole(data: Eventual<Data>, failuresBefore: number): data is Data {
    return !isPromise(data) && this.#failures === failuresBefore;
  }

  #field(plan: FieldPlan, source: unknown, above: Place): unknown {
    const { field, value } = plan;
    if (field === null) return plan.parentType.name;
    try {
      const resolve = resolverOf(field);
      const resolved =
        resolve === undefined
          ? this.#property(plan, source, above)
          : resolve(source, this.#argumentsOf(plan), this.#context, needsInfo(resolve) ? this.#info(plan, above) : NO_INFO);
      const isLate = isPromise(resolved);
      if (value.kind === 'leaf' && !isLate) return this.#leaf(plan, value, value.type, resolved);
      const completed = isLate
        ? resolved.then((late) => this.#complete(plan, value, late, pathOf(plan, above)))
        : this.#complete(plan, value, resolved, pathOf(plan, above));
      return isPromise(completed)
        ? completed.then(undefined, (error: unknown) => this.#fail(plan, value, error, pathOf(plan, above)))
        : completed;
    } catch (error) {
      return this.#fail(plan, value, error, pathOf(plan, above));
    }
  }

  #property(plan: FieldPlan, source: unknown, above: Place): unknown {
    if ((typeof source !== 'object' || source === null) && typeof source !== 'function') return undefined;
    // Of whatever it is.
    const object = source as Readonly<Data>;
    const property = object[plan.name];
    if (typeof property !== 'function') return property;
    return property.call(object, this.#argumentsOf(plan), this.#context, this.#info(plan, above));
  }

  #argumentsOf(plan: FieldPlan): Arguments {
    if (plan.constantArguments !== null) return plan.constantArguments;
    // `__typename` has none.
    return plan.field === null ? {} : argumentValues(plan.field, plan.nodes[0], this.#variables);
  }

  #complete(plan: FieldPlan, value: ValuePlan, resolved: unknown, path: Path): unknown {
    if (value.kind === 'leaf') return this.#leaf(plan, value, value.type, resolved);
    if (resolved instanceof Error) throw resolved;
    if (resolved === null || resolved === undefined) return nothing(plan, value);
    switch (value.kind) {
      case 'list':
        return this.#list(plan, value.item, resolved, path);
      case 'object':
        return resolved instanceof SharedSource ? this.#shared(value.below(), resolved, path) : this.#once(value.below(), resolved, path);
      case 'abstract': {
        const { type, below } = value;
        const resolveType = type.resolveType ?? defaultTypeResolver;
        const name = resolveType(resolved, this.#context, this.#info(plan, fieldPathOf(path).prev), type);
        const complete = (known: unknown) => this.#object(below(runtimeType(this.#plan.schema, type, plan, known)), resolved, path);
        return isPromise(name) ? name.then(complete) : complete(name);
      }
    }
  }

  #leaf(plan: FieldPlan, value: ValuePlan, type: GraphQLLeafType, resolved: unknown): unknown {
    if (resolved instanceof Error) throw resolved;
    if (resolved === null || resolved === undefined) return nothing(plan, value);
    const serialized = type.serialize(resolved);
    if (serialized === null || serialized === undefined)
      throw new Error(`Expected \`${type.name}.serialize\` to return a value for ${coordinateOf(plan)}, got ${serialized}.`);
    return serialized;
  }

  #list(plan: FieldPlan, item: ValuePlan, resolved: unknown, path: Path): Eventual<unknown[]> {
    if (typeof resolved !== 'object' || resolved === null || !(Symbol.iterator in resolved))
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${coordinateOf(plan)}".`);
    const items: unknown[] = [];
    const late: Promise<unknown>[] = [];
    try {
      // It has an iterator, as was just looked at.
      for (const each of resolved as Iterable<unknown>) {
        const completed = this.#item(plan, item, each, { prev: path, key: items.length, typename: undefined });
        items.push(completed);
        if (isPromise(completed)) late.push(completed);
      }
    } catch (error) {
      // Others may fail, too, before or after this one, and a rejection that nobody takes ends the process.
      for (const each of [...late, ...(Array.isArray(resolved) ? resolved : [])]) if (isPromise(each)) each.then(undefined, () => {});
      throw error;
    }
    return late.length === 0 ? items : Promise.all(items);
  }

  #item(plan: FieldPlan, item: ValuePlan, each: unknown, path: Path): unknown {
    try {
      const completed = isPromise(each)
        ? each.then((late) => this.#complete(plan, item, late, path))
        : this.#complete(plan, item, each, path);
      return isPromise(completed) ? completed.then(undefined, (error: unknown) => this.#fail(plan, item, error, path)) : completed;
    } catch (error) {
      return this.#fail(plan, item, error, path);
    }
  }

  /** Null where that may be, with the error told; else the error goes on to what is above. */
  #fail({ nodes }: FieldPlan, { isNonNull }: ValuePlan, error: unknown, path: Path): null {
    this.#failures += 1;
    const located = locatedError(error, nodes, responsePathAsArray(path));
    if (isNonNull) throw located;
    this.#tell(located, path);
    return null;
  }

  #tell(error: GraphQLError, place: Place): void {
    const keys = responsePathAsArray(place);
    if (keys.some((_, index) => this.#failedAt.has(keys.slice(0, index).join('/')))) return;
    const at = keys.join('/');
    if (this.#failedAt.has(at)) return;
    this.#failedAt.add(at);
    this.#errors.push(error);
  }

  #info(plan: FieldPlan, above: Place): GraphQLResolveInfo {
    const { schema, fragments, operation } = this.#plan;
    const { name, nodes, parentType, field, value } = plan;
    if (field === null) throw new Error(`A resolver is only called for fields of the schema, not for "${name}" of ${value.kind}.`);
    return {
      fieldName: name,
      fieldNodes: nodes,
      returnType: field.type,
      parentType,
      path: pathOf(plan, above),
      schema,
      fragments,
      rootValue: this.#rootValue,
      operation,
      variableValues: this.#variables as Data,
    };
  }
}

/** What objects came to, by what they are of, and how many came again. */
type Repeats = { readonly found: Map<unknown, Data>; hits: number };
/** So many more than have come again are remembered. */
const REPEATS_AWAITED = 8;

type Late = { readonly key: string; readonly value: Promise<unknown> };

function settle(data: Data, late: readonly Late[]): Promise<Data> {
  return Promise.all(late.map(({ value }) => value)).then((values) => {
    for (const [index, { key }] of late.entries()) data[key] = values[index];
    return data;
  });
}

function nothing(plan: FieldPlan, { isNonNull }: ValuePlan): null {
  if (isNonNull) throw new Error(`Cannot return null for non-nullable field ${coordinateOf(plan)}.`);
  return null;
}

function pathOf({ key, parentType }: FieldPlan, above: Place): Path {
  return { prev: above, key, typename: parentType.name };
}

/** Of the field in whose list, or list of lists, something stands. */
function fieldPathOf(path: Path): Path {
  let at = path;
  while (typeof at.key === 'number' && at.prev !== undefined) at = at.prev;
  return at;
}

/** One without named parameters may take all that it is given. */
function needsInfo({ length }: { readonly length: number }): boolean {
  return length === 0 || length > INFO_PARAMETER;
}

const NO_INFO = undefined as unknown as GraphQLResolveInfo; // Of resolvers that do not take it.
