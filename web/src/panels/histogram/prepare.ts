/** How often values lie in which range: buckets of equal width over all values of a panel. Pure. */

import { hidden, optionsOf } from '../../dashboard/fields/apply';
import { type Display, displayOf, fieldColor } from '../../dashboard/fields/display';
import { displayName, type Frame } from '../../frame/frame';
import { flag, type Json, numeric } from '../../lib/json';
import { ticks } from '../../lib/ticks';

export type HistogramView = {
  readonly start: number;
  readonly size: number;
  readonly series: readonly {
    readonly name: string;
    readonly color: string;
    readonly fill: number;
    readonly counts: readonly number[];
  }[];
  readonly most: number;
  /** Writes a bound of a bucket. */
  readonly write: Display;
};

/** Finer buckets than this cannot be seen. */
const BUCKETS_MAX = 300;

export function prepareHistogram(
  frames: readonly Frame[],
  options: Json,
): HistogramView | undefined {
  const fields = frames.flatMap((f) => f.fields.filter((x) => x.type === 'number' && !hidden(x)));
  const finite = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const field of fields) {
    for (const value of field.values) {
      if (!finite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  const [first] = fields;
  if (first === undefined || high < low) return undefined;
  const size = bucketSize(low, high, options);
  const offset = numeric(options, 'bucketOffset') ?? 0;
  const start = Math.floor((low - offset) / size) * size + offset;
  const count = Math.min(Math.floor((high - start) / size) + 1, BUCKETS_MAX);
  const bucket = (value: number) => Math.min(Math.floor((value - start) / size), count - 1);
  const all = flag(options, 'combine') ? [fields] : fields.map((field) => [field]);
  const series = all.map((group, index) => {
    const counts = new Array<number>(count).fill(0);
    for (const field of group) {
      for (const value of field.values) {
        if (finite(value)) counts[bucket(value)] = (counts[bucket(value)] ?? 0) + 1;
      }
    }
    const [own = first] = group;
    const name = group.length > 1 ? 'count' : displayName(own, frames);
    const fill = numeric(optionsOf(own).custom ?? {}, 'fillOpacity');
    const usual = all.length > 1 ? 55 : 85;
    return { name, color: fieldColor(optionsOf(own), index), fill: (fill ?? usual) / 100, counts };
  });
  const most = series.flatMap((s) => s.counts).reduce((a, b) => Math.max(a, b), 1);
  return { start, size, series, most, write: displayOf(first) };
}

function bucketSize(low: number, high: number, options: Json): number {
  const asked = numeric(options, 'bucketSize') ?? 0;
  const least = (high - low) / BUCKETS_MAX;
  if (asked > 0) return Math.max(asked, least);
  if (high === low) return Math.abs(high) / 10 || 1;
  const [a = 0, b = 1] = ticks(0, high - low, numeric(options, 'bucketCount') ?? 30);
  return Math.max(b - a, least);
}
