/** What held from when to when: a lane for each field, a span for each value. Pure. */

import { hidden, optionsOf } from '../../dashboard/fields/apply';
import { displayOf, type Shown } from '../../dashboard/fields/display';
import { displayName, type Frame } from '../../frame/frame';
import { CLASSIC } from '../../lib/color';
import { numeric } from '../../lib/json';
import type { TimeRange } from '../../lib/time/relative';

export type Span = {
  readonly from: number;
  readonly to: number;
  readonly shown: Shown;
};
export type Lane = {
  readonly name: string;
  readonly fill: number;
  readonly spans: readonly Span[];
};
export type States = {
  readonly lanes: readonly Lane[];
  /** Every state with its colour, in the order of appearance. */
  readonly legend: readonly { readonly name: string; readonly color: string }[];
};

/** Lanes past this many are too thin to read. */
const LANES_MAX = 200;
/** States in a legend; a field of numbers can have as many as it has points. */
const LEGEND_MAX = 20;

/** `merge` joins equal neighbours; without it every point is a span of its own. */
export function prepareStates(frames: readonly Frame[], range: TimeRange, merge: boolean): States {
  const lanes: Lane[] = [];
  const words = new Map<string, string>();
  let index = 0;
  for (const frame of frames) {
    const time = frame.fields.find((f) => f.type === 'time');
    if (time === undefined) continue;
    for (const field of frame.fields) {
      if (field === time || field.type === 'other' || hidden(field) || lanes.length >= LANES_MAX)
        continue;
      const display = displayOf(field, { index });
      const byWord =
        field.type !== 'number' && (optionsOf(field).color?.mode ?? '').startsWith('palette');
      const coloured = (value: unknown): Shown => {
        const shown = display(value);
        if (!byWord) return shown;
        const color = words.get(shown.text) ?? CLASSIC[words.size % CLASSIC.length] ?? shown.color;
        words.set(shown.text, color);
        return { ...shown, color };
      };
      lanes.push({
        name: displayName(field, frames),
        fill: (numeric(optionsOf(field).custom ?? {}, 'fillOpacity') ?? 85) / 100,
        spans: spansOf(time.values as readonly number[], field.values, coloured, range, merge),
      });
      index += 1;
    }
  }
  const legend = new Map<string, string>();
  for (const { shown } of lanes.flatMap((l) => l.spans)) {
    if (legend.size < LEGEND_MAX) legend.set(shown.text, shown.color);
  }
  return { lanes, legend: [...legend].map(([name, color]) => ({ name, color })) };
}

function spansOf(
  times: readonly number[],
  values: readonly unknown[],
  show: (value: unknown) => Shown,
  range: TimeRange,
  merge: boolean,
): readonly Span[] {
  const steps = times.slice(1).map((t, at) => t - (times[at] ?? t));
  // The usual distance of two points: the last one lasts so long, and a longer silence is a gap.
  const step =
    steps.length === 0
      ? range.to - range.from
      : [...steps].sort((a, b) => a - b)[steps.length >> 1];
  const usual = step ?? range.to - range.from;
  const spans: Span[] = [];
  values.forEach((value, at) => {
    const from = times[at] ?? 0;
    if (value === null || value === undefined) return;
    const to = Math.min(times[at + 1] ?? from + usual, from + usual * 1.5, range.to);
    const shown = show(value);
    const last = spans.at(-1);
    if (merge && last !== undefined && last.to >= from && last.shown.text === shown.text) {
      spans[spans.length - 1] = { ...last, to: Math.max(to, from) };
    } else {
      spans.push({ from, to: Math.max(to, from), shown });
    }
  });
  return spans;
}
