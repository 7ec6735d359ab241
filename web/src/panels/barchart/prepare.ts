/** Groups of bars, one for each row of a table. Pure. */

import { hidden, optionsOf } from '../../dashboard/fields/apply';
import { displayOf, fieldColor, type Shown } from '../../dashboard/fields/display';
import { displayName, type Field, type Frame } from '../../frame/frame';
import { type Json, numeric, text } from '../../lib/json';

export type BarChartView = {
  readonly names: readonly string[];
  readonly series: readonly {
    readonly name: string;
    readonly color: string;
    readonly fill: number;
    readonly bars: readonly {
      readonly shown: Shown;
      readonly from: number;
      readonly to: number;
      readonly color: string;
    }[];
  }[];
  readonly low: number;
  readonly high: number;
  readonly horizontal: boolean;
  readonly stacked: boolean;
};

/** More groups than this are a table's business. */
const GROUPS_MAX = 300;

export function prepareBarChart(
  frames: readonly Frame[],
  options: Json,
  [width, height]: readonly [number, number],
): BarChartView | undefined {
  const found = frames.find((f) => f.fields.some((x) => x.type === 'number'));
  if (found === undefined) return undefined;
  const wanted = text(options, 'xField');
  const names =
    found.fields.find((f) => wanted !== undefined && displayName(f, frames) === wanted) ??
    found.fields.find((f) => f.type === 'string') ??
    found.fields.find((f) => f.type === 'time');
  const rows = Math.min(found.length, GROUPS_MAX);
  const stacking = text(options, 'stacking') ?? 'none';
  const stacked = stacking !== 'none';
  const numbers = found.fields.filter((f) => f.type === 'number' && f !== names && !hidden(f));
  const value = (field: Field, row: number) => {
    const v = field.values[row];
    return typeof v === 'number' && Number.isFinite(v) ? v : 0;
  };
  const sums = Array.from({ length: rows }, (_, row) =>
    numbers.reduce((sum, field) => sum + Math.abs(value(field, row)), 0),
  );
  const by = found.fields.find((f) => displayName(f, frames) === text(options, 'colorByField'));
  const colorOfRow =
    by === undefined
      ? undefined
      : (row: number) =>
          by.type === 'number'
            ? displayOf(by)(by.values[row]).color
            : fieldColor({}, by.values.indexOf(by.values[row]));
  const tops = new Array<number>(rows).fill(0);
  let [low, high] = [0, 0];
  const series = numbers.map((field, index) => {
    const display = displayOf(field, { index });
    const mode = optionsOf(field).color?.mode ?? 'palette-classic';
    const color = fieldColor(
      { ...optionsOf(field), color: { ...optionsOf(field).color, mode } },
      index,
    );
    const byValue = mode === 'thresholds' || mode.startsWith('continuous');
    const bars = Array.from({ length: rows }, (_, row) => {
      const part =
        stacking === 'percent' ? value(field, row) / (sums[row] || 1) : value(field, row);
      const from = stacked ? (tops[row] ?? 0) : 0;
      const to = from + part;
      tops[row] = to;
      [low, high] = [Math.min(low, to), Math.max(high, to)];
      const shown = display(field.values[row]);
      const own = colorOfRow?.(row) ?? (byValue ? shown.color : color);
      return { shown, from, to, color: own };
    });
    const fill = (numeric(optionsOf(field).custom ?? {}, 'fillOpacity') ?? 85) / 100;
    return { name: displayName(field, frames), color, fill, bars };
  });
  const orientation = text(options, 'orientation') ?? 'auto';
  const write = names === undefined ? undefined : displayOf(names);
  return {
    names: Array.from({ length: rows }, (_, row) =>
      write === undefined ? String(row + 1) : write(names?.values[row]).text,
    ),
    series,
    low,
    high: high === low ? low + 1 : high,
    horizontal: orientation === 'horizontal' || (orientation === 'auto' && width < height),
    stacked,
  };
}
