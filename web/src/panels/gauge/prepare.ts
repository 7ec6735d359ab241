/** From frames to gauges: a value on an arc, with the bands of its thresholds around it. Pure. */

import { optionsOf } from '../../dashboard/fields/apply';
import { bounds, displayOf } from '../../dashboard/fields/display';
import type { Frame } from '../../frame/frame';
import { cssColor } from '../../lib/color';
import type { Json } from '../../lib/json';
import { prepareTiles, type Tile } from '../stat/prepare';

export type Band = {
  readonly from: number;
  readonly to: number;
  readonly color: string;
  /** The value where it begins. */
  readonly label: string;
};
export type GaugeView = Tile & { readonly share: number; readonly bands: readonly Band[] };

export function prepareGauges(frames: readonly Frame[], options: Json): readonly GaugeView[] {
  return prepareTiles(frames, options).map((tile) => ({
    ...tile,
    // Everything equal has no place between its ends; the arc then is empty or full.
    share: tile.shown.share ?? ((tile.shown.number ?? 0) > 0 ? 1 : 0),
    bands: bandsOf(tile),
  }));
}

export function bandsOf({ field }: Tile): readonly Band[] {
  const options = optionsOf(field);
  const [low, high] = bounds(field, options);
  const { mode, steps } = options.thresholds ?? { mode: 'absolute', steps: [] };
  const place = (value: number) => {
    const share = mode === 'percentage' ? value / 100 : (value - low) / (high - low);
    return Math.min(Math.max(Number.isNaN(share) ? 0 : share, 0), 1);
  };
  return steps.flatMap((step, at) => {
    const from = place(step.value);
    const to = place(steps[at + 1]?.value ?? Number.POSITIVE_INFINITY);
    const value = mode === 'percentage' ? low + ((high - low) * step.value) / 100 : step.value;
    const label = Number.isFinite(value) ? displayOf(field)(value).text : '';
    return to > from ? [{ from, to, color: cssColor(step.color), label }] : [];
  });
}

/** An SVG path along the arc between two shares; the arc is three quarters of a circle. */
export function arcPath(
  [x, y]: readonly [number, number],
  radius: number,
  from: number,
  to: number,
): string {
  const SWEEP = 1.5 * Math.PI;
  const point = (share: number) => {
    const angle = 0.75 * Math.PI + share * SWEEP;
    return `${(x + radius * Math.cos(angle)).toFixed(2)},${(y + radius * Math.sin(angle)).toFixed(2)}`;
  };
  const large = (to - from) * SWEEP > Math.PI ? 1 : 0;
  return `M${point(from)} A${radius},${radius} 0 ${large} 1 ${point(to)}`;
}
