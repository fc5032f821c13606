import type { Weighed } from './cost.ts';
import type { SelectedField, Selection } from './cost-skeleton.ts';

type Data = Readonly<Record<string, unknown>>;

/**
 * What an operation has cost, by the lists of its answer: the same formula with as many elements as each has that are not null. All else
 * counts as if it were there. It may be more than was estimated where a list is longer than is assumed. Without lists it is the estimate,
 * and nothing is looked at.
 */
export function actualCost({ skeleton, measures, costs, total }: Weighed, data: Data | null | undefined): number {
  if (!skeleton.root.hasLists) return total;
  return ofObject(skeleton.root, data ?? {});

  function ofObject({ index, fields, hasLists }: Selection, object: unknown): number {
    // Nothing below has a size, so nothing can have another one.
    if (!hasLists) return costs.fixed[index] ?? 0;
    let cost = 0;
    for (const field of fields) {
      cost += field.rule.weight + (measures[field.index]?.inputs ?? 0) + ofValue(field, isObject(object) ? object[field.key] : null);
    }
    return cost;
  }

  function ofValue(field: SelectedField, value: unknown): number {
    if (!field.rule.isList) return ofElement(field, value);
    let cost = 0;
    if (Array.isArray(value)) for (const element of value) if (element !== null) cost += ofElement(field, element);
    return cost;
  }

  /** Of which type it is the answer need not say: the dearest that it may be. */
  function ofElement({ leafWeight, branches }: SelectedField, element: unknown): number {
    let cost = leafWeight;
    for (const { weight, selection } of branches) cost = Math.max(cost, weight + ofObject(selection, element));
    return cost;
  }
}

function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null;
}
