/** From frames to the slices of a pie. Pure. */

import type { Shown } from '../../dashboard/fields/display';
import type { Frame } from '../../frame/frame';
import type { Json } from '../../lib/json';
import { prepareTiles } from '../stat/prepare';

export type Slice = {
  readonly name: string;
  readonly shown: Shown;
  /** Where it starts and how much of the whole it is. */
  readonly start: number;
  readonly share: number;
};

/** Nothing that is negative, endless or no number has a part in a whole. */
export function prepareSlices(frames: readonly Frame[], options: Json): readonly Slice[] {
  const tiles = prepareTiles(frames, options).filter(
    ({ shown: { number = 0 } }) => number > 0 && Number.isFinite(number),
  );
  const sum = tiles.reduce((total, { shown }) => total + (shown.number ?? 0), 0);
  if (options.sort !== 'none') {
    const sign = options.sort === 'asc' ? 1 : -1;
    tiles.sort((a, b) => sign * ((a.shown.number ?? 0) - (b.shown.number ?? 0)));
  }
  let start = 0;
  return tiles.map(({ name, shown }) => {
    const share = (shown.number ?? 0) / sum;
    const slice = { name, shown, start, share };
    start += share;
    return slice;
  });
}

/** An SVG path of a slice, a ring's part if `inner` is above zero. */
export function slicePath(
  { start, share }: { start: number; share: number },
  [x, y]: readonly [number, number],
  outer: number,
  inner: number,
): string {
  // A whole circle has both ends at one point, which no arc can tell from none.
  const end = start + Math.min(share, 0.9999);
  const point = (at: number, radius: number) => {
    const angle = at * 2 * Math.PI - Math.PI / 2;
    return `${(x + radius * Math.cos(angle)).toFixed(2)},${(y + radius * Math.sin(angle)).toFixed(2)}`;
  };
  const large = end - start > 0.5 ? 1 : 0;
  const back =
    inner === 0
      ? `L${x},${y}`
      : `L${point(end, inner)} A${inner},${inner} 0 ${large} 0 ${point(start, inner)}`;
  return `M${point(start, outer)} A${outer},${outer} 0 ${large} 1 ${point(end, outer)} ${back} Z`;
}
