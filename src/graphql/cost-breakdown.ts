import { UNSEEN_ROW, type Weighed } from './cost.ts';
import type { Branch, SelectedField, Selection } from './cost-skeleton.ts';

export type CostPart = { readonly path: string; readonly count: number; readonly cost: number };

export const COST_PARTS_MAX = 100;
/** Fragments may lead to very many; the dearest are looked at first. */
const PATHS_MAX = 1_000;

/** What each path costs by itself, the dearest first. All together they are the total, unless there are more than COST_PARTS_MAX. */
export function breakdownOf({ skeleton, measures, costs }: Weighed): readonly CostPart[] {
  const parts: CostPart[] = [];
  let paths = 0;
  visit(skeleton.root, '', 1, 0);
  return parts
    .filter(({ cost }) => cost > 0)
    .toSorted((a, b) => b.cost - a.cost)
    .slice(0, COST_PARTS_MAX);

  /** `size` is that of the lists which the field above gave one. */
  function visit({ fields }: Selection, above: string, count: number, size: number): void {
    const shown = fields
      .map((field) => ({ field, values: count * valuesOf(field, size), branch: dearestOf(field) }))
      .map((each) => ({ ...each, whole: each.values * belowOf(each.field, each.branch) }))
      .toSorted((a, b) => b.whole - a.whole);
    for (const { field, values, branch } of shown) {
      if (++paths > PATHS_MAX) return;
      const path = above === '' ? field.key : `${above}.${field.key}`;
      const { size: below = 0, inputs = 0 } = measures[field.index] ?? {};
      const each = (branch?.weight ?? field.leafWeight) + (branch?.selection.hasUnseenRows === true ? below * UNSEEN_ROW : 0);
      parts.push({ path, count: values, cost: count * (field.rule.weight + inputs) + values * each });
      if (branch !== null) visit(branch.selection, path, values, below);
    }
  }

  function valuesOf({ index, rule, isSizedAbove }: SelectedField, size: number): number {
    if (isSizedAbove) return size;
    return rule.isList ? (measures[index]?.size ?? 0) : 1;
  }

  /** Of the types that may be there, the one that was counted. */
  function dearestOf(field: SelectedField): Branch | null {
    return field.branches.toSorted((a, b) => belowOf(field, b) - belowOf(field, a))[0] ?? null;
  }

  function belowOf({ index, leafWeight }: SelectedField, branch: Branch | null): number {
    if (branch === null) return leafWeight;
    const { selection, weight } = branch;
    return weight + (costs.fixed[selection.index] ?? 0) + (costs.perElement[selection.index] ?? 0) * (measures[index]?.size ?? 0);
  }
}
