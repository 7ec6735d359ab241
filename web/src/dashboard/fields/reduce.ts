/**
 * One value from a column: the calculations of stat panels, legends and transformations.
 *
 * Values that are no numbers, and nulls, take no part but where a name says so.
 */

type Calculation = { readonly name: string; readonly of: (values: readonly unknown[]) => unknown };

function numbers(values: readonly unknown[]): number[] {
  return values.filter((v): v is number => typeof v === 'number' && !Number.isNaN(v));
}

function present(values: readonly unknown[]): unknown[] {
  return values.filter((v) => v !== null && v !== undefined && !Number.isNaN(v));
}

const least = (values: readonly number[]) =>
  values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const most = (values: readonly number[]) =>
  values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const orNull = (values: readonly number[], of: (values: readonly number[]) => number) =>
  values.length === 0 ? null : of(values);

function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? null;
}

function variance(values: readonly number[]): number {
  const mean = total(values) / values.length;
  return total(values.map((v) => (v - mean) ** 2)) / values.length;
}

function delta(values: readonly number[]): number {
  let sum = 0;
  for (let at = 1; at < values.length; at += 1) {
    const [before = 0, now = 0] = [values[at - 1], values[at]];
    // A counter that fell has started again.
    sum += now >= before ? now - before : now;
  }
  return sum;
}

/** Every calculation by the id that dashboards use. */
export const CALCULATIONS: Readonly<Record<string, Calculation>> = {
  lastNotNull: { name: 'Last *', of: (values) => present(values).at(-1) ?? null },
  last: { name: 'Last', of: (values) => values.at(-1) ?? null },
  firstNotNull: { name: 'First *', of: (values) => present(values)[0] ?? null },
  first: { name: 'First', of: (values) => values[0] ?? null },
  min: { name: 'Min', of: (values) => orNull(numbers(values), least) },
  max: { name: 'Max', of: (values) => orNull(numbers(values), most) },
  mean: { name: 'Mean', of: (values) => orNull(numbers(values), (v) => total(v) / v.length) },
  median: { name: 'Median', of: (values) => percentile(numbers(values), 0.5) },
  sum: { name: 'Total', of: (values) => orNull(numbers(values), total) },
  count: { name: 'Count', of: (values) => values.length },
  range: { name: 'Range', of: (values) => orNull(numbers(values), (v) => most(v) - least(v)) },
  delta: { name: 'Delta', of: (values) => orNull(numbers(values), delta) },
  step: {
    name: 'Step',
    of: (values) =>
      orNull(numbers(values), (v) => least(v.slice(1).map((x, i) => x - (v[i] ?? 0)))),
  },
  diff: {
    name: 'Difference',
    of: (values) => orNull(numbers(values), (v) => (v.at(-1) ?? 0) - (v[0] ?? 0)),
  },
  diffperc: {
    name: 'Difference percent',
    of: (values) => orNull(numbers(values), (v) => ((v.at(-1) ?? 0) - (v[0] ?? 0)) / (v[0] ?? 1)),
  },
  logmin: {
    name: 'Min (above zero)',
    of: (values) =>
      orNull(
        numbers(values).filter((v) => v > 0),
        least,
      ),
  },
  variance: { name: 'Variance', of: (values) => orNull(numbers(values), variance) },
  stdDev: {
    name: 'StdDev',
    of: (values) => orNull(numbers(values), (v) => Math.sqrt(variance(v))),
  },
  allIsZero: {
    name: 'All zeros',
    of: (values) => values.length > 0 && present(values).every((v) => v === 0),
  },
  allIsNull: { name: 'All nulls', of: (values) => present(values).length === 0 },
  changeCount: {
    name: 'Change count',
    of: (values) => present(values).filter((v, i, all) => i > 0 && v !== all[i - 1]).length,
  },
  distinctCount: { name: 'Distinct count', of: (values) => new Set(present(values)).size },
  uniqueValues: {
    name: 'All unique values',
    of: (values) => [...new Set(present(values))].map(String).join(', '),
  },
  allValues: { name: 'All values', of: (values) => present(values).map(String).join(', ') },
};

/** The calculation's answer; `p95` and its kin are percentiles. Nothing if there is no such id. */
export function reduceValues(values: readonly unknown[], id: string): unknown {
  const known = CALCULATIONS[id];
  if (known !== undefined) return known.of(values);
  const percent = /^p(\d{1,2})$/.exec(id)?.[1];
  return percent === undefined ? null : percentile(numbers(values), Number(percent) / 100);
}

export function calculationName(id: string): string {
  return CALCULATIONS[id]?.name ?? id;
}
