/** Fewer exemplars where many lie on top of each other: the greatest of each cell. Pure. */

import type { Exemplar } from '../api/prometheus';
import type { TimeRange } from '../lib/time/relative';

const COLUMNS = 50;
const PER_COLUMN = 2;

export function thinned(all: readonly Exemplar[], range: TimeRange): readonly Exemplar[] {
  const columns = new Map<number, Exemplar[]>();
  const seen = new Set<string>();
  const width = Math.max(range.to - range.from, 1);
  for (const exemplar of all) {
    if (exemplar.at < range.from || exemplar.at > range.to) continue;
    // Each bucket of a histogram has its own, and queries of one panel share them.
    const key = `${exemplar.at} ${exemplar.value} ${JSON.stringify(exemplar.labels)}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const column = Math.floor(((exemplar.at - range.from) / width) * COLUMNS);
    columns.set(column, [...(columns.get(column) ?? []), exemplar]);
  }
  return [...columns.values()].flatMap((column) =>
    column.sort((a, b) => b.value - a.value).slice(0, PER_COLUMN),
  );
}
