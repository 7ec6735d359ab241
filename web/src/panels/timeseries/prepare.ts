/**
 * From frames to what uPlot draws: one column of times for all series, one column of values each,
 * stacked where asked. Pure.
 */

import { optionsOf } from '../../dashboard/fields/apply';
import { type Display, displayOf, fieldColor } from '../../dashboard/fields/display';
import { reduceValues } from '../../dashboard/fields/reduce';
import type { Threshold } from '../../dashboard/schema/model';
import { displayName, type Field, type Frame } from '../../frame/frame';
import { isObject } from '../../lib/json';

export type DrawStyle = 'line' | 'bars' | 'points';

export type Point = number | null | undefined;

export type SeriesView = {
  readonly name: string;
  readonly color: string;
  readonly draw: DrawStyle;
  readonly lineWidth: number;
  readonly fill: number;
  readonly gradient: 'none' | 'opacity' | 'hue' | 'scheme';
  /** Of bars: -1 before its time, 0 around it, 1 after it; how much of the room it takes. */
  readonly barAlign: -1 | 0 | 1;
  readonly barWidth: number;
  readonly barMax: number;
  readonly interpolation: 'linear' | 'smooth' | 'stepBefore' | 'stepAfter';
  readonly dash: readonly number[] | undefined;
  readonly points: 'auto' | 'always' | 'never';
  readonly pointSize: number;
  /** Joins the points on both sides of a gap; a number joins gaps up to so many milliseconds. */
  readonly spanNulls: boolean | number;
  readonly scale: string;
  readonly hidden: boolean;
  readonly inLegend: boolean;
  readonly inTooltip: boolean;
  readonly display: Display;
  readonly field: Field;
  /** What is drawn, stacked: null cuts the line, undefined is a moment of another series. */
  readonly values: readonly Point[];
  /** What was measured, for the legend and the tooltip. */
  readonly raw: readonly Point[];
  /** The series below it in its stack, between which the area is filled. */
  readonly above: number | undefined;
  /** The upper edge of an area that ends at this series (`fillBelowTo`). */
  readonly fillBelowTo: string | undefined;
};

export type ScaleView = {
  readonly key: string;
  readonly side: 'left' | 'right' | 'hidden';
  readonly label: string;
  readonly log: number | undefined;
  /** Linear below this value, logarithmic above it, on both sides of zero. */
  readonly symlog: number | undefined;
  readonly grid: boolean | undefined;
  readonly border: boolean;
  readonly width: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly softMin: number | undefined;
  readonly softMax: number | undefined;
  readonly centerZero: boolean;
  readonly display: Display;
  readonly color: string | undefined;
  /** Whether its unit counts by powers of two. */
  readonly binary: boolean;
};

export type TimeSeriesView = {
  /** Seconds, as uPlot counts. */
  readonly times: readonly number[];
  readonly series: readonly SeriesView[];
  readonly scales: readonly ScaleView[];
  readonly thresholds:
    | {
        readonly mode: string;
        /** Whether the steps are percentages of the scale. */
        readonly percent: boolean;
        readonly steps: readonly Threshold[];
        readonly scale: string;
      }
    | undefined;
};

export function prepareTimeSeries(frames: readonly Frame[]): TimeSeriesView {
  const columns = frames.flatMap((frame) => {
    const time = frame.fields.find((f) => f.type === 'time');
    if (time === undefined) return [];
    return frame.fields
      .filter((f) => f.type === 'number' || f.type === 'boolean')
      .map((field) => ({ field, times: time.values as readonly number[], step: time.config.step }));
  });
  const times = [
    ...new Set(columns.flatMap((c) => [...c.times, ...gapsOf(c.times, gapMs(c.field, c.step))])),
  ].sort((a, b) => a - b);
  const place = new Map(times.map((time, at) => [time, at]));
  const scales: ScaleView[] = [];
  let series = columns.map(({ field, times: own, step }, index) => {
    const custom = optionsOf(field).custom ?? {};
    const raw: Point[] = new Array(times.length).fill(undefined);
    const sign = custom.transform === 'negative-Y' ? -1 : 1;
    const constant =
      custom.transform === 'constant' ? reduceValues(field.values, 'firstNotNull') : undefined;
    field.values.forEach((value, at) => {
      const row = place.get(own[at] ?? Number.NaN);
      if (row === undefined) return;
      if (typeof constant === 'number') raw[row] = constant;
      else if (typeof value === 'number' && Number.isFinite(value)) raw[row] = value * sign;
      else raw[row] = typeof value === 'boolean' ? Number(value) : null;
    });
    for (const gap of gapsOf(own, gapMs(field, step))) {
      const row = place.get(gap);
      if (row !== undefined) raw[row] ??= null;
    }
    return seriesView(field, frames, index, raw, scales);
  });
  series = stacked(series).map(asBars);
  const first = series.find((s) => optionsOf(s.field).thresholds !== undefined);
  const style = first === undefined ? undefined : optionsOf(first.field).custom?.thresholdsStyle;
  const mode = isObject(style) && typeof style.mode === 'string' ? style.mode : 'off';
  const thresholds =
    first === undefined || mode === 'off'
      ? undefined
      : {
          mode,
          percent: optionsOf(first.field).thresholds?.mode === 'percentage',
          steps: optionsOf(first.field).thresholds?.steps ?? [],
          scale: first.scale,
        };
  return { times: times.map((ms) => ms / 1_000), series, scales, thresholds };
}

/** The distance of two points past which the line between them is cut; nothing if never. */
function gapMs(field: Field, step: number | undefined): number | undefined {
  const asked = optionsOf(field).custom?.insertNulls;
  if (typeof asked === 'number' && asked > 0) return asked;
  return step === undefined ? undefined : step * 1.5;
}

/**
 * The moment where the first point of every gap is missing. A point alone has the next one missing:
 * its bar is then as wide as others would be.
 */
function gapsOf(times: readonly number[], ms: number | undefined): readonly number[] {
  if (ms === undefined) return [];
  const [only] = times;
  if (times.length === 1 && only !== undefined) return [only + ms / 1.5];
  return times.flatMap((time, at) => {
    const before = times[at - 1];
    return before !== undefined && time - before > ms ? [before + ms / 1.5] : [];
  });
}

function seriesView(
  field: Field,
  frames: readonly Frame[],
  index: number,
  raw: readonly Point[],
  scales: ScaleView[],
): SeriesView {
  const options = optionsOf(field);
  const custom = options.custom ?? {};
  const display = displayOf(field, { index });
  // A series that is coloured by value takes the colour of its last value, or as it says.
  const byValue =
    options.color?.mode === 'thresholds' || options.color?.mode.startsWith('continuous') === true;
  const color = byValue
    ? display(reduceValues(field.values, options.color?.seriesBy ?? 'last')).color
    : fieldColor(options, index);
  const draw =
    custom.drawStyle === 'bars' || custom.drawStyle === 'points' ? custom.drawStyle : 'line';
  const style = isObject(custom.lineStyle) ? custom.lineStyle : {};
  const hide = isObject(custom.hideFrom) ? custom.hideFrom : {};
  const number = (key: string, otherwise: number) =>
    typeof custom[key] === 'number' ? (custom[key] as number) : otherwise;
  const dash = Array.isArray(style.dash)
    ? style.dash.filter((d): d is number => typeof d === 'number')
    : undefined;
  const interpolation = custom.lineInterpolation;
  return {
    name: displayName(field, frames),
    color,
    draw,
    lineWidth: number('lineWidth', 1),
    fill: number('fillOpacity', draw === 'bars' ? 80 : 0) / 100,
    gradient:
      custom.gradientMode === 'opacity' ||
      custom.gradientMode === 'hue' ||
      custom.gradientMode === 'scheme'
        ? custom.gradientMode
        : 'none',
    barAlign: custom.barAlignment === -1 || custom.barAlignment === 1 ? custom.barAlignment : 0,
    barWidth: number('barWidthFactor', 0.6),
    barMax: number('barMaxWidth', 200),
    interpolation:
      interpolation === 'smooth' || interpolation === 'stepBefore' || interpolation === 'stepAfter'
        ? interpolation
        : 'linear',
    dash:
      style.fill === 'dash' || style.fill === 'dot'
        ? (dash ?? (style.fill === 'dot' ? [0, 10] : [10, 10]))
        : undefined,
    points:
      custom.showPoints === 'always' || custom.showPoints === 'never' ? custom.showPoints : 'auto',
    pointSize: number('pointSize', 5),
    spanNulls: typeof custom.spanNulls === 'number' ? custom.spanNulls : custom.spanNulls === true,
    scale: scaleOf(field, scales, display, color),
    hidden: hide.viz === true,
    inLegend: hide.legend !== true,
    inTooltip: hide.tooltip !== true,
    display,
    field,
    values: raw,
    raw,
    above: undefined,
    fillBelowTo: typeof custom.fillBelowTo === 'string' ? custom.fillBelowTo : undefined,
  };
}

/** Fields of one unit and side share a scale. */
function scaleOf(field: Field, scales: ScaleView[], display: Display, color: string): string {
  const options = optionsOf(field);
  const custom = options.custom ?? {};
  const placement = custom.axisPlacement;
  const side = placement === 'right' ? 'right' : placement === 'hidden' ? 'hidden' : 'left';
  const key = `${options.unit ?? field.config.unit ?? ''}/${side}`;
  const distribution = isObject(custom.scaleDistribution) ? custom.scaleDistribution : {};
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
  const known = scales.find((s) => s.key === key);
  if (known === undefined) {
    // A second unit goes to the right when its side was left to us.
    const automatic = placement === undefined || placement === 'auto';
    const taken = scales.some((s) => s.side === 'left');
    scales.push({
      key,
      side: automatic && side === 'left' && taken ? 'right' : side,
      label: typeof custom.axisLabel === 'string' ? custom.axisLabel : '',
      log: distribution.type === 'log' ? (number(distribution.log) ?? 2) : undefined,
      symlog:
        distribution.type === 'symlog' ? (number(distribution.linearThreshold) ?? 1) : undefined,
      grid: typeof custom.axisGridShow === 'boolean' ? custom.axisGridShow : undefined,
      border: custom.axisBorderShow === true,
      width: number(custom.axisWidth),
      min: options.min,
      max: options.max,
      softMin: number(custom.axisSoftMin),
      softMax: number(custom.axisSoftMax),
      centerZero: custom.axisCenteredZero === true,
      display,
      color: custom.axisColorMode === 'series' ? color : undefined,
      binary: /^(bytes|kbytes|mbytes|gbytes|tbytes|bits|binBps|binbps|KiBs|MiBs|GiBs)$/.test(
        options.unit ?? field.config.unit ?? '',
      ),
    });
  }
  return key;
}

/** Adds up the series of each stack from below, as lines of totals; gaps count as zero. */
function stacked(series: readonly SeriesView[]): SeriesView[] {
  const groups = new Map<string, { totals: number[]; last: number; sum: number[] | undefined }>();
  const group = (s: SeriesView) => {
    const stacking = optionsOf(s.field).custom?.stacking;
    const mode = isObject(stacking) && typeof stacking.mode === 'string' ? stacking.mode : 'none';
    if (mode === 'none' || s.hidden) return undefined;
    // A name, or the `false` by which boards leave a total out of the stack of its parts.
    const name = isObject(stacking) && stacking.group !== undefined ? stacking.group : 'A';
    return { key: `${mode}/${name}/${s.scale}/${s.draw}/${down(s)}`, percent: mode === 'percent' };
  };
  const sums = new Map<string, number[]>();
  for (const s of series) {
    const of = group(s);
    if (of?.percent !== true) continue;
    const sum = sums.get(of.key) ?? new Array<number>(s.raw.length).fill(0);
    s.raw.forEach((value, at) => {
      sum[at] = (sum[at] ?? 0) + Math.abs(value ?? 0);
    });
    sums.set(of.key, sum);
  }
  return series.map((s, index) => {
    const of = group(s);
    if (of === undefined) return s;
    const known = groups.get(of.key);
    const totals = known?.totals ?? new Array<number>(s.raw.length).fill(0);
    const sum = sums.get(of.key);
    const values = s.raw.map((value, at) => {
      const share = sum === undefined ? (value ?? 0) : (value ?? 0) / (sum[at] || 1);
      totals[at] = (totals[at] ?? 0) + share;
      return (value ?? null) === null && s.draw === 'bars' ? value : (totals[at] ?? 0);
    });
    groups.set(of.key, { totals, last: index, sum });
    return { ...s, values, above: known?.last };
  });
}

/**
 * Bars are as wide as the distance of two moments of their series; with the moments of the others
 * among them, a bar that stands alone is no wider than the rest.
 */
function asBars(s: SeriesView): SeriesView {
  return s.draw === 'bars' ? { ...s, values: s.values.map((value) => value ?? null) } : s;
}

/** Whether a series is stacked downwards: most of it lies below zero, where -0 does too. */
function down({ raw }: SeriesView): boolean {
  const sign = (value: number) => (value < 0 || Object.is(value, -0) ? -1 : Math.sign(value));
  return raw.reduce<number>((sum, value) => sum + sign(value ?? 0), 0) < 0;
}
