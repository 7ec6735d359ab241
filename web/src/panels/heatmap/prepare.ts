/**
 * Cells of a heatmap: columns of time, rows of buckets, a count each. Buckets are classic ones (a
 * series each), those of native histograms, or counted here from plain series. Pure.
 */

import { displayName, type Field, type Frame } from '../../frame/frame';
import { isObject, type Json, numeric, object, text } from '../../lib/json';
import { ticks } from '../../lib/ticks';
import { parseDuration } from '../../lib/time/duration';
import type { TimeRange } from '../../lib/time/relative';

export type HeatmapView = {
  readonly times: readonly number[];
  /** Milliseconds of a column. */
  readonly step: number;
  readonly rows: readonly { readonly name: string; readonly upper: number | undefined }[];
  /** `counts[row][column]`; zero and absent are both nothing. */
  readonly counts: readonly (readonly number[])[];
  readonly low: number;
  readonly high: number;
};

/** Finer rows and columns than these cannot be seen. */
const ROWS_MAX = 500;
const COLUMNS_MAX = 2_000;

export function prepareHeatmap(
  frames: readonly Frame[],
  options: Json,
  range: TimeRange,
): HeatmapView | undefined {
  const columns = frames.flatMap((frame): Column[] => {
    const time = frame.fields.find((f) => f.type === 'time');
    if (time === undefined) return [];
    const times = time.values as readonly number[];
    return frame.fields.filter((f) => f !== time).map((field) => ({ times, field, frames }));
  });
  const native = columns.filter((c) => c.field.values.some(isHistogram));
  const plain = columns.filter((c) => c.field.type === 'number');
  const shown = (view: HeatmapView | undefined) => limited(view, options);
  if (native.length > 0) return shown(ofNative(native));
  if (plain.length === 0) return undefined;
  if (options.calculate === true || options.dataFormat === 'timeseries') {
    return shown(calculated(plain, options, range));
  }
  return shown(
    finish(
      plain.map((c) => ({
        name: displayName(c.field, c.frames),
        upper: bound(c),
        points: c.times.map((t, at) => [t, c.field.values[at] as number] as const),
      })),
    ),
  );
}

/** What the file says of cells, rows and the ends of the colours. */
function limited(view: HeatmapView | undefined, options: Json): HeatmapView | undefined {
  if (view === undefined) return undefined;
  const filter = object(options, 'filterValues');
  const least = numeric(filter, 'le') ?? 0;
  const most = numeric(filter, 'ge') ?? Number.POSITIVE_INFINITY;
  const color = object(options, 'color');
  const yAxis = object(options, 'yAxis');
  const [from, to] = [numeric(yAxis, 'min'), numeric(yAxis, 'max')];
  const kept = view.rows.flatMap(({ upper }, row) =>
    upper !== undefined &&
    ((from !== undefined && upper <= from) ||
      (to !== undefined && upper > to && upper !== Number.POSITIVE_INFINITY))
      ? []
      : [row],
  );
  const rows = yAxis.reverse === true ? kept.reverse() : kept;
  return {
    ...view,
    rows: rows.flatMap((row) => view.rows[row] ?? []),
    counts: rows.map((row) =>
      (view.counts[row] ?? []).map((count) => (count > least && count < most ? count : 0)),
    ),
    low: numeric(color, 'min') ?? view.low,
    high: numeric(color, 'max') ?? view.high,
  };
}

type Column = {
  readonly times: readonly number[];
  readonly field: Field;
  readonly frames: readonly Frame[];
};
type Row = {
  readonly name: string;
  readonly upper: number | undefined;
  readonly points: readonly (readonly [ms: number, count: number])[];
};

function bound({ field, frames }: Column): number | undefined {
  const le = field.labels?.le ?? displayName(field, frames);
  const value = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
  return le.trim() === '' || Number.isNaN(value) ? undefined : value;
}

function finish(unordered: readonly Row[]): HeatmapView | undefined {
  const bounded = unordered.every((row) => row.upper !== undefined);
  const rows = bounded
    ? [...unordered].sort((a, b) => (a.upper ?? 0) - (b.upper ?? 0)).slice(0, ROWS_MAX)
    : unordered.slice(0, ROWS_MAX);
  const times = [...new Set(rows.flatMap((row) => row.points.map(([t]) => t)))]
    .sort((a, b) => a - b)
    .slice(-COLUMNS_MAX);
  if (times.length === 0) return undefined;
  const place = new Map(times.map((t, at) => [t, at]));
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  const counts = rows.map((row) => {
    const line = new Array<number>(times.length).fill(0);
    for (const [t, value] of row.points) {
      const at = place.get(t);
      // What is no count, such as the NaN of an empty bucket, is nothing.
      if (at === undefined || !(value > 1e-9) || value === Number.POSITIVE_INFINITY) continue;
      line[at] = (line[at] ?? 0) + value;
      [low, high] = [Math.min(low, line[at] ?? 0), Math.max(high, line[at] ?? 0)];
    }
    return line;
  });
  const gaps = times.slice(1).map((t, at) => t - (times[at] ?? t));
  const step = gaps.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return {
    times,
    step: Number.isFinite(step) ? step : 60_000,
    rows: rows.map(({ name, upper }) => ({ name, upper })),
    counts,
    low: Number.isFinite(low) ? low : 0,
    high,
  };
}

type Histogram = { readonly buckets?: readonly (readonly [number, string, string, string])[] };

function isHistogram(value: unknown): value is Histogram {
  return isObject(value) && 'count' in value;
}

/** Buckets of all native histograms by their upper bounds; equal ones of several series add up. */
function ofNative(columns: readonly Column[]): HeatmapView | undefined {
  const rows = new Map<number, [number, number][]>();
  for (const { times, field } of columns) {
    field.values.forEach((value, at) => {
      if (!isHistogram(value)) return;
      for (const [, , upper, count] of value.buckets ?? []) {
        const points = rows.get(Number(upper)) ?? [];
        points.push([times[at] ?? 0, Number(count)]);
        rows.set(Number(upper), points);
      }
    });
  }
  return finish(
    [...rows].map(([upper, points]) => ({
      name: String(Number(upper.toPrecision(4))),
      upper,
      points,
    })),
  );
}

/** Counts the values of plain series into about twenty rows and as many columns as there is room for. */
function calculated(
  columns: readonly Column[],
  options: Json,
  range: TimeRange,
): HeatmapView | undefined {
  const calculation = object(options, 'calculation');
  const wantedSize = (axis: string, whole: number) => {
    const buckets = object(calculation, axis);
    const value =
      numeric(buckets, 'value') ?? parseDuration(text(buckets, 'value') ?? '') ?? undefined;
    if (value === undefined || value <= 0) return undefined;
    return text(buckets, 'mode') === 'count' ? whole / value : value;
  };
  const points = columns.flatMap((c) =>
    c.times.flatMap((t, at) => {
      const value = c.field.values[at];
      return typeof value === 'number' && Number.isFinite(value) ? [[t, value] as const] : [];
    }),
  );
  const low = points.reduce((a, [, v]) => Math.min(a, v), Number.POSITIVE_INFINITY);
  const high = points.reduce((a, [, v]) => Math.max(a, v), Number.NEGATIVE_INFINITY);
  if (points.length === 0) return undefined;
  const [a = 0, b = 1] = ticks(0, high - low || Math.abs(high) || 1, 20);
  const height = Math.max(
    wantedSize('yBuckets', high - low) ?? b - a,
    (high - low) / ROWS_MAX,
    1e-12,
  );
  // Columns of whole steps of the data, else every other one would be empty.
  const step = columns.reduce(
    (least, { times }) =>
      times.slice(1).reduce((a, t, at) => Math.min(a, t - (times[at] ?? t)), least),
    range.to - range.from,
  );
  const wanted = Math.max(
    wantedSize('xBuckets', range.to - range.from) ?? 0,
    (range.to - range.from) / 60,
    1,
  );
  const wide = Math.ceil(wanted / Math.max(step, 1)) * Math.max(step, 1);
  const scale = object(object(calculation, 'yBuckets'), 'scale');
  const log = text(scale, 'type') === 'log' ? (numeric(scale, 'log') ?? 2) : undefined;
  const rows = new Map<number, [number, number][]>();
  for (const [t, value] of points) {
    const row = log === undefined ? Math.floor(value / height) : logRow(value, log);
    if (row === undefined) continue;
    const list = rows.get(row) ?? [];
    list.push([Math.floor(t / wide) * wide, 1]);
    rows.set(row, list);
  }
  return finish(
    [...rows].map(([row, list]) => {
      const bound = log === undefined ? (row + 1) * height : log ** (row + 1);
      const upper = Number(bound.toPrecision(10));
      return { name: String(upper), upper, points: list };
    }),
  );
}

/** The power of the base below a value; nothing that is not above zero has one. */
function logRow(value: number, base: number): number | undefined {
  return value > 0 ? Math.ceil(Math.log(value) / Math.log(base) - 1e-9) - 1 : undefined;
}
