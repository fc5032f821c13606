import { GraphQLError } from 'graphql';
import { AppError, UNCERTAIN_CODES } from '../platform/errors.ts';
import { UNSEEN_ROW, type Weighed } from './cost.ts';
import type { SelectedField, Selection } from './cost-skeleton.ts';

type Data = Readonly<Record<string, unknown>>;
type Failure = { readonly path?: readonly (string | number)[] | undefined; readonly originalError?: Error | undefined };

/**
 * What an operation has cost, by the lists of its answer: the same formula with as many elements as each has that are not null. All else
 * counts as if it were there. It may be more than was estimated where a list is longer than is assumed. Without lists it is the estimate,
 * and nothing is looked at. Rows that are read and not shown cost what was estimated.
 *
 * What is missing since something below it failed was read all the same, so it costs what was estimated; a field that failed by itself
 * has read nothing below, unless nobody knows how far it came.
 */
export function actualCost(
  { skeleton, measures, costs, total }: Weighed,
  data: Data | null | undefined,
  failures: readonly Failure[] = [],
): number {
  if (!skeleton.root.hasLists) return total;
  const failed = failures.length === 0 ? null : new FailedPaths(failures);
  return ofObject(skeleton.root, data ?? null, '', NO_SIZE);

  function ofObject({ index, fields, hasLists, hasUnseenRows }: Selection, object: unknown, path: string, size: number): number {
    // Nothing below has a size, so nothing can have another one.
    if (!hasLists) return costs.fixed[index] ?? 0;
    const isLost = !isObject(object) && failed !== null && failed.isBelow(path);
    let cost = hasUnseenRows && (isObject(object) || isLost) ? size * UNSEEN_ROW : 0;
    for (const field of fields) {
      const { size: ownSize = 0, inputs = 0 } = measures[field.index] ?? {};
      cost += field.rule.weight + inputs;
      const at = failed === null ? '' : `${path}/${field.key}`;
      if (isLost && failed?.isAt(at) !== true) cost += estimate(field, size, ownSize);
      else cost += ofValue(field, isObject(object) ? object[field.key] : null, at, size, ownSize);
    }
    return cost;
  }

  /** `size` is what the field above gave the lists of its object. */
  function ofValue(field: SelectedField, value: unknown, path: string, size: number, ownSize: number): number {
    if (!field.rule.isList) return ofElement(field, value, path, ownSize);
    if (!Array.isArray(value)) return failed?.isBelow(path) === true ? estimate(field, size, ownSize) : 0;
    let cost = 0;
    for (const [place, element] of value.entries()) {
      const at = failed === null ? '' : `${path}/${place}`;
      if (element !== null || failed?.isBelow(at) === true) cost += ofElement(field, element, at, ownSize);
    }
    return cost;
  }

  /** Of which type it is the answer need not say: the dearest that it may be. */
  function ofElement({ leafWeight, branches }: SelectedField, element: unknown, path: string, size: number): number {
    let cost = leafWeight;
    for (const { weight, selection } of branches) cost = Math.max(cost, weight + ofObject(selection, element, path, size));
    return cost;
  }

  /** Of its value, as it was estimated. */
  function estimate({ leafWeight, branches, rule, isSizedAbove }: SelectedField, size: number, ownSize: number): number {
    let each = leafWeight;
    for (const { weight, selection } of branches)
      each = Math.max(each, weight + (costs.fixed[selection.index] ?? 0) + (costs.perElement[selection.index] ?? 0) * ownSize);
    if (isSizedAbove) return size * each;
    return rule.isList ? ownSize * each : each;
  }
}

/** Operations themselves give no list a size. */
const NO_SIZE = 0;

/** Where something failed, with a slash before each step. */
class FailedPaths {
  readonly #at = new Set<string>();
  readonly #below = new Set<string>();

  constructor(failures: readonly Failure[]) {
    for (const { path = [], originalError } of failures) {
      let above = '';
      for (const step of path) {
        this.#below.add(above);
        above = `${above}/${step}`;
      }
      // It may have been far below when it was given up.
      if (isUncertain(originalError)) this.#below.add(above);
      else this.#at.add(above);
    }
  }

  isAt(path: string): boolean {
    return this.#at.has(path);
  }

  isBelow(path: string): boolean {
    return this.#below.has(path);
  }
}

/** What is no refusal of ours is a mistake, or was given up; what graphql itself refuses, such as an argument, has no other error as its origin. */
function isUncertain(error: Error | undefined): boolean {
  if (error instanceof AppError) return UNCERTAIN_CODES.includes(error.code);
  return error !== undefined && !(error instanceof GraphQLError);
}

function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null;
}
