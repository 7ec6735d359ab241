/** Colours of a heatmap's cells: a scheme by its name, or one colour that grows stronger. Pure. */

import { cssColor, mix, withAlpha } from '../../lib/color';
import { type Json, numeric, text } from '../../lib/json';

/** The ends and middles of d3's schemes that Grafana offers, dark backgrounds in mind. */
const SCHEMES: Readonly<Record<string, readonly string[]>> = {
  Blues: ['#f7fbff', '#6baed6', '#08306b'],
  Greens: ['#f7fcf5', '#74c476', '#00441b'],
  Greys: ['#fafafa', '#969696', '#1a1a1a'],
  Oranges: ['#fff5eb', '#fd8d3c', '#7f2704'],
  Purples: ['#fcfbfd', '#9e9ac8', '#3f007d'],
  Reds: ['#fff5f0', '#fb6a4a', '#67000d'],
  Inferno: ['#000004', '#781c6d', '#ed6925', '#fcffa4'],
  Magma: ['#000004', '#711f81', '#f1605d', '#fcfdbf'],
  Plasma: ['#0d0887', '#9c179e', '#ed7953', '#f0f921'],
  Turbo: ['#30123b', '#28bceb', '#a4fc3c', '#fb7e21', '#7a0403'],
  Viridis: ['#440154', '#31688e', '#35b779', '#fde725'],
  Spectral: ['#5e4fa2', '#66c2a5', '#ffffbf', '#fdae61', '#9e0142'],
  RdYlGn: ['#006837', '#a6d96a', '#ffffbf', '#fdae61', '#a50026'],
  RdYlBu: ['#313695', '#abd9e9', '#ffffbf', '#fdae61', '#a50026'],
  YlOrRd: ['#ffffcc', '#fd8d3c', '#800026'],
  YlGnBu: ['#ffffd9', '#41b6c4', '#081d58'],
  PuBuGn: ['#fff7fb', '#67a9cf', '#014636'],
};

/** A function from 0 (least) to 1 (most) to a colour. */
export function cellColor(options: Json): (share: number) => string {
  const exponent = numeric(options, 'exponent') ?? 0.5;
  if (text(options, 'mode') === 'opacity') {
    const fill = cssColor(text(options, 'fill') ?? 'dark-orange');
    const power = text(options, 'scale') === 'linear' ? 1 : exponent;
    return (share) => withAlpha(fill, Math.max(share ** power, 0.06));
  }
  const stops = SCHEMES[text(options, 'scheme') ?? 'Oranges'] ?? SCHEMES.Oranges ?? [];
  // Spectral and its kin run from hot to cold in the original; the option turns them again.
  const turned = options.reverse === true ? [...stops].reverse() : stops;
  return (share) => {
    const place = Math.min(Math.max(share, 0), 1) * (turned.length - 1);
    const at = Math.min(Math.floor(place), turned.length - 2);
    return mix(turned[at] ?? 'gray', turned[at + 1] ?? 'gray', place - at);
  };
}
