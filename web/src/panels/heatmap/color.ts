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
  BuGn: ['#f7fcfd', '#66c2a4', '#00441b'],
  BuPu: ['#f7fcfd', '#8c96c6', '#4d004b'],
  GnBu: ['#f7fcf0', '#7bccc4', '#084081'],
  OrRd: ['#fff7ec', '#fc8d59', '#7f0000'],
  PuBu: ['#fff7fb', '#74a9cf', '#023858'],
  PuRd: ['#f7f4f9', '#df65b0', '#67001f'],
  RdPu: ['#fff7f3', '#f768a1', '#49006a'],
  YlGn: ['#ffffe5', '#78c679', '#004529'],
  YlOrBr: ['#ffffe5', '#fe9929', '#662506'],
  BrBG: ['#003c30', '#80cdc1', '#f5f5f5', '#dfc27d', '#543005'],
  PRGn: ['#00441b', '#a6dba0', '#f7f7f7', '#c2a5cf', '#40004b'],
  PiYG: ['#276419', '#b8e186', '#f7f7f7', '#f1b6da', '#8e0152'],
  PuOr: ['#2d004b', '#b2abd2', '#f7f7f7', '#fdb863', '#7f3b08'],
  RdBu: ['#053061', '#92c5de', '#f7f7f7', '#f4a582', '#67001f'],
  RdGy: ['#1a1a1a', '#bababa', '#ffffff', '#f4a582', '#67001f'],
  Cool: ['#6e40aa', '#2f96e0', '#1ddfa3', '#aff05b'],
  Warm: ['#6e40aa', '#fe4b83', '#e2b72f', '#aff05b'],
  Cividis: ['#002051', '#7f7c75', '#fdea45'],
  CubehelixDefault: ['#000000', '#1a5f4b', '#c97bb7', '#ffffff'],
  Rainbow: ['#6e40aa', '#fe4b83', '#aff05b', '#1ac7c2', '#6e40aa'],
  Sinebow: ['#ff4040', '#7fee11', '#00bfbf', '#7f11ee', '#ff4040'],
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
  const steps = Math.max(numeric(options, 'steps') ?? 128, 2);
  return (share) => {
    const whole = Math.min(Math.max(share, 0), 1);
    const stepped = Math.min(Math.floor(whole * steps), steps - 1) / (steps - 1);
    const place = stepped * (turned.length - 1);
    const at = Math.min(Math.floor(place), turned.length - 2);
    return mix(turned[at] ?? 'gray', turned[at + 1] ?? 'gray', place - at);
  };
}
