/** From the view model to the options of uPlot. Touches the theme's colours and nothing else. */

import uPlot from 'uplot';
import type { Threshold } from '../../dashboard/schema/model';
import { type Formatted, joined } from '../../dashboard/units/format';
import { mix, withAlpha } from '../../lib/color';
import { timeMark } from '../../lib/ticks';
import { intlZone, type Zone } from '../../lib/time/zone';
import type { ScaleView, SeriesView, TimeSeriesView } from './prepare';

export type ChartLook = {
  readonly dark: boolean;
  readonly zone: Zone;
  readonly width: number;
  readonly height: number;
};

type Hooks = {
  readonly onZoom: (fromMs: number, toMs: number) => void;
  readonly onCursor: (chart: uPlot) => void;
};

/** More series than this have no dots under the pointer: nobody could tell them apart. */
const POINTS_MAX = 200;

export function chartOptions(
  view: TimeSeriesView,
  range: { from: number; to: number },
  look: ChartLook,
  key: string,
  hooks: Hooks,
): uPlot.Options {
  const ink = look.dark ? '#a3abb8' : '#5c6470';
  const grid = look.dark ? 'rgba(255,255,255,0.07)' : 'rgba(0,0,0,0.07)';
  const axis = {
    stroke: ink,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1, size: 4 },
    font: '11px system-ui, sans-serif',
  };
  const name = intlZone(look.zone);
  const zone =
    name === undefined
      ? {}
      : { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1_000), name) };
  return {
    width: look.width,
    height: look.height,
    ...zone,
    legend: { show: false },
    // Half of a mark of time stands beyond the end of its axis.
    padding: [8, view.scales.some((s) => s.side === 'right') ? 0 : 26, 0, 0],
    cursor: {
      drag: { x: true, y: false, setScale: false },
      // Each is an element of the page that moves with the pointer.
      points: { size: 6, show: view.series.length <= POINTS_MAX },
      focus: { prox: 24 },
      ...(key === '' ? {} : { sync: { key, setSeries: false } }),
    },
    focus: { alpha: 1 },
    scales: {
      x: { time: true, range: () => [range.from / 1_000, range.to / 1_000] },
      ...Object.fromEntries(view.scales.map((scale) => [scale.key, scaleOptions(scale, view)])),
    },
    axes: [
      {
        ...axis,
        size: 24,
        space: (_chart, _axis, from, to, pixels) => markSpace((pixels * 30) / (to - from)),
        values: (_chart, splits, _axis, _space, step) =>
          splits.map((seconds) => timeMark(seconds * 1_000, step * 1_000, look.zone)),
      },
      ...view.scales
        .filter((scale) => scale.side !== 'hidden')
        .map(
          (scale, at): uPlot.Axis => ({
            ...axis,
            stroke: scale.color ?? ink,
            ...(scale.border
              ? { border: { show: true, stroke: scale.color ?? ink, width: 1 } }
              : {}),
            scale: scale.key,
            side: scale.side === 'right' ? 1 : 3,
            ...(scale.label === ''
              ? {}
              : { label: scale.label, labelSize: 18, labelFont: axis.font }),
            grid: { ...axis.grid, show: scale.grid ?? at === 0 },
            space: 28,
            size: (_chart, values) =>
              scale.width ?? 14 + 6.8 * Math.max(2, ...(values ?? []).map((v) => v.length)),
            ...(scale.binary ? { incrs: POWERS } : {}),
            values: (_chart, splits) =>
              splits.map((v) => (v === null ? '' : mark(scale.display(v).parts))),
          }),
        ),
    ],
    series: [{}, ...view.series.map((series) => seriesOptions(series))],
    bands: bands(view.series),
    hooks: {
      drawClear: [(chart) => drawThresholds(chart, view)],
      setCursor: [hooks.onCursor],
      setSelect: [
        (chart) => {
          const { left, width } = chart.select;
          if (width < 4) return;
          // Charts that share a crosshair share the selection; one of them zooms, once.
          if (chart.over.matches(':hover')) {
            const at = (x: number) => chart.posToVal(x, 'x') * 1_000;
            hooks.onZoom(Math.round(at(left)), Math.round(at(left + width)));
          }
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/** Steps of an axis of bytes, so that its marks are whole KiB and MiB. */
const POWERS = Array.from({ length: 71 }, (_, at) => 2 ** (at - 10));

/** A mark without the zeros that say nothing: 0.5 s, not 0.500 s. */
function mark(parts: Formatted): string {
  const short = parts.text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
  return joined({ ...parts, text: short });
}

function scaleOptions(scale: ScaleView, view: TimeSeriesView): uPlot.Scale {
  const bars = view.series.some(
    (s) => s.scale === scale.key && (s.draw === 'bars' || s.above !== undefined),
  );
  return {
    auto: true,
    ...(scale.log === undefined ? {} : { distr: 3 as const, log: scale.log === 10 ? 10 : 2 }),
    ...(scale.symlog === undefined ? {} : { distr: 4 as const, asinh: scale.symlog }),
    range: (_chart, low, high) => {
      if (scale.log !== undefined) {
        // Without any value above zero both are null.
        const [least, most] = aboveZero(scale.min ?? low ?? 0, scale.max ?? high ?? 0);
        return uPlot.rangeLog(least, most, scale.log === 10 ? 10 : 2, true);
      }
      if (low === null || high === null || !Number.isFinite(low))
        return [scale.min ?? 0, scale.max ?? 1];
      if (scale.symlog !== undefined)
        return uPlot.rangeAsinh(scale.min ?? low, scale.max ?? high, 10, true);
      let [min, max] = [Math.min(low, scale.softMin ?? low), Math.max(high, scale.softMax ?? high)];
      if (bars) [min, max] = [Math.min(min, 0), Math.max(max, 0)];
      if (scale.centerZero) {
        const most = Math.max(Math.abs(min), Math.abs(max));
        [min, max] = [-most, most];
      }
      // A flat line gets room above and below instead of a scale without height.
      if (min === max)
        [min, max] =
          min === 0 ? [0, 1] : [Math.min(min * 0.9, min * 1.1), Math.max(min * 0.9, min * 1.1)];
      const [softLow, softHigh] = uPlot.rangeNum(min, max, {
        min: { pad: 0.05, soft: 0, mode: 3 },
        max: { pad: 0.05, soft: 0, mode: 3 },
      });
      return [scale.min ?? softLow, scale.max ?? softHigh];
    },
  };
}

/** The ends of a logarithmic scale, which has no place for zero: three powers of ten below the top. */
export function aboveZero(low: number, high: number): [number, number] {
  const most = high > 0 ? high : 1;
  return [low > 0 ? low : most / 1_000, most];
}

function seriesOptions(series: SeriesView): uPlot.Series {
  const { linear, spline, stepped, bars, points } = uPlot.paths;
  const paths =
    series.draw === 'bars'
      ? bars?.({ size: [series.barWidth, series.barMax], align: series.barAlign })
      : series.draw === 'points'
        ? points?.()
        : series.interpolation === 'smooth'
          ? spline?.()
          : series.interpolation === 'stepAfter'
            ? stepped?.({ align: 1 })
            : series.interpolation === 'stepBefore'
              ? stepped?.({ align: -1 })
              : linear?.();
  const fill = series.fill > 0 && series.draw !== 'points' ? { fill: fillOf(series) } : {};
  return {
    label: series.name,
    scale: series.scale,
    stroke: series.gradient === 'scheme' ? byScheme(series, 1) : series.color,
    width: series.draw === 'points' ? 0 : series.lineWidth,
    ...(paths === undefined ? {} : { paths }),
    // A stacked line is filled by its band; a stacked bar is drawn from the one below it.
    ...(series.above === undefined || series.draw === 'bars' ? fill : {}),
    ...(series.dash === undefined ? {} : { dash: [...series.dash] }),
    show: !series.hidden,
    spanGaps: series.spanNulls === true,
    ...(typeof series.spanNulls === 'number' ? { gaps: shortGaps(series.spanNulls) } : {}),
    points: {
      show:
        series.draw === 'points' || series.points === 'always'
          ? true
          : // As in Grafana: a bar is its own mark.
            series.points === 'never' || series.draw === 'bars'
            ? false
            : alone,
      size: series.pointSize,
      fill: series.color,
    },
  };
}

type Paint = string | ((chart: uPlot) => CanvasGradient | string);

/** The area below a line: of one colour, fading out, or in the colours of its values. */
function fillOf(series: SeriesView): Paint {
  const { color, fill, gradient } = series;
  if (gradient === 'none') return withAlpha(color, fill);
  if (gradient === 'scheme') return byScheme(series, fill);
  const low =
    gradient === 'hue' ? withAlpha(mix(color, '#000000', 0.45), fill) : withAlpha(color, 0);
  return (chart) => {
    const { top, height } = chart.bbox;
    if (!Number.isFinite(top + height)) return withAlpha(color, fill);
    const paint = chart.ctx.createLinearGradient(0, top, 0, top + height);
    paint.addColorStop(0, withAlpha(color, fill));
    paint.addColorStop(1, low);
    return paint;
  };
}

/** Stops enough that a step between two thresholds looks like one. */
const STOPS = 40;

function byScheme(series: SeriesView, alpha: number): Paint {
  return (chart) => {
    const { top, height } = chart.bbox;
    const scale = chart.scales[series.scale];
    if (scale?.min === undefined || scale.max === undefined || !Number.isFinite(top + height))
      return withAlpha(series.color, alpha);
    const paint = chart.ctx.createLinearGradient(0, top, 0, top + height);
    for (let at = 0; at <= STOPS; at += 1) {
      const value = chart.posToVal(top + (at / STOPS) * height, series.scale, true);
      paint.addColorStop(at / STOPS, withAlpha(series.display(value).color, alpha));
    }
    return paint;
  };
}

/** Points of a line are drawn where there is room for them, and where a value has no neighbour. */
function alone(chart: uPlot, series: number, first: number, last: number): boolean {
  const values = chart.data[series];
  if (values === undefined) return false;
  const count = values.slice(first, last + 1).filter((v) => v !== null && v !== undefined).length;
  return count <= 1 || chart.bbox.width / Math.max(count, 1) > 40 * devicePixelRatio;
}

/** Keeps only gaps that are longer than `ms`. */
function shortGaps(ms: number): uPlot.Series.GapsRefiner {
  return (chart, _series, _first, _last, gaps) =>
    gaps.filter(
      ([from, to]) =>
        (chart.posToVal(to, 'x', true) - chart.posToVal(from, 'x', true)) * 1_000 > ms,
    );
}

/** Areas between a stacked series and the one below it, and those that a series names. */
function bands(series: readonly SeriesView[]): uPlot.Band[] {
  return series.flatMap((s, at) => {
    const below =
      s.above ??
      (s.fillBelowTo === undefined ? undefined : series.findIndex((x) => x.name === s.fillBelowTo));
    if (below === undefined || below < 0 || s.fill === 0) return [];
    return [{ series: [at + 1, below + 1] as [number, number], fill: withAlpha(s.color, s.fill) }];
  });
}

/** Percentages are of the scale. */
export function thresholdValues(
  { percent, steps }: NonNullable<TimeSeriesView['thresholds']>,
  low: number,
  high: number,
): readonly Threshold[] {
  if (!percent) return steps;
  return steps.map((step) => ({ ...step, value: low + ((high - low) * step.value) / 100 }));
}

function drawThresholds(chart: uPlot, view: TimeSeriesView) {
  const { thresholds } = view;
  if (thresholds === undefined || thresholds.steps.length === 0) return;
  const { ctx, bbox } = chart;
  const scale = chart.scales[thresholds.scale];
  if (scale?.min === undefined || scale.max === undefined) return;
  const [low, high] = [scale.min, scale.max];
  const steps = thresholdValues(thresholds, low, high);
  const y = (value: number) =>
    chart.valToPos(Math.min(Math.max(value, low), high), thresholds.scale, true);
  ctx.save();
  steps.forEach((step, at) => {
    const next = steps[at + 1]?.value ?? Number.POSITIVE_INFINITY;
    if (thresholds.mode.includes('area') && step.color !== 'transparent') {
      ctx.fillStyle = withAlpha(step.color, 0.09);
      const [top, bottom] = [y(next), y(step.value)];
      if (bottom > top) ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    }
    if (
      (thresholds.mode.includes('line') || thresholds.mode.includes('dashed')) &&
      step.value > low &&
      step.value < high
    ) {
      ctx.strokeStyle = withAlpha(step.color, 0.8);
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash(thresholds.mode.includes('dashed') ? [6, 4] : []);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y(step.value));
      ctx.lineTo(bbox.left + bbox.width, y(step.value));
      ctx.stroke();
    }
  });
  ctx.restore();
}

/** Pixels between marks of time, from those of half a minute: seconds need more room than minutes. */
export function markSpace(halfMinute: number): number {
  return halfMinute >= 50 ? 70 : 50;
}
