/** From frames to bars of a bar gauge, and the colours along them. Pure. */

import { optionsOf } from '../../dashboard/fields/apply';
import type { Frame } from '../../frame/frame';
import { cssColor, schemeColor } from '../../lib/color';
import { type Json, text } from '../../lib/json';
import { bandsOf } from '../gauge/prepare';
import { prepareTiles, type Tile } from '../stat/prepare';

export type Bar = Tile & {
  readonly share: number;
  /** The colour at a share of the whole scale, for gradients and lit cells. */
  readonly colorAt: (share: number) => string;
};

export type BarGaugeView = {
  readonly bars: readonly Bar[];
  readonly mode: 'basic' | 'gradient' | 'lcd';
  readonly horizontal: boolean;
  readonly unfilled: boolean;
  readonly value: 'color' | 'text' | 'hidden';
  readonly name: 'beside' | 'top' | 'hidden';
};

export function prepareBars(
  frames: readonly Frame[],
  options: Json,
  width: number,
  height: number,
): BarGaugeView {
  const mode = text(options, 'displayMode');
  const value = text(options, 'valueMode');
  const place = text(options, 'namePlacement');
  const orientation = text(options, 'orientation') ?? 'auto';
  return {
    bars: prepareTiles(frames, options).map((tile) => ({
      ...tile,
      share: tile.shown.share ?? ((tile.shown.number ?? 0) > 0 ? 1 : 0),
      colorAt: colorAt(tile),
    })),
    mode: mode === 'basic' || mode === 'lcd' ? mode : 'gradient',
    horizontal: orientation === 'horizontal' || (orientation === 'auto' && width > height),
    unfilled: options.showUnfilled !== false,
    value: value === 'text' || value === 'hidden' ? value : 'color',
    name: place === 'hidden' ? 'hidden' : place === 'top' ? 'top' : 'beside',
  };
}

function colorAt(tile: Tile): (share: number) => string {
  const color = optionsOf(tile.field).color?.mode ?? 'thresholds';
  const bands = bandsOf(tile);
  if (color === 'thresholds') {
    return (share) =>
      bands.findLast((band) => share >= band.from)?.color ?? bands[0]?.color ?? cssColor('green');
  }
  return (share) => schemeColor(color, share) ?? tile.shown.color;
}
