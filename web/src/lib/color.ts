/** Grafana's named colours and palettes, and mixing them. */

/** The classic palette: series take these in order. */
export const CLASSIC = [
  '#7EB26D',
  '#EAB839',
  '#6ED0E0',
  '#EF843C',
  '#E24D42',
  '#1F78C1',
  '#BA43A9',
  '#705DA0',
  '#508642',
  '#CCA300',
  '#447EBC',
  '#C15C17',
  '#890F02',
  '#0A437C',
  '#6D1F62',
  '#584477',
  '#B7DBAB',
  '#F4D598',
  '#70DBED',
  '#F9BA8F',
  '#F29191',
  '#82B5D8',
  '#E5A8E2',
  '#AEA2E0',
  '#629E51',
  '#E5AC0E',
  '#64B0C8',
  '#E0752D',
  '#BF1B00',
  '#0A50A1',
  '#962D82',
  '#614D93',
] as const;

const NAMED: Readonly<Record<string, string>> = {
  'super-light-red': '#FFA6B0',
  'light-red': '#FF7383',
  red: '#F2495C',
  'semi-dark-red': '#E02F44',
  'dark-red': '#C4162A',
  'super-light-orange': '#FFCB7D',
  'light-orange': '#FFB357',
  orange: '#FF9830',
  'semi-dark-orange': '#FF780A',
  'dark-orange': '#FA6400',
  'super-light-yellow': '#FFF899',
  'light-yellow': '#FFEE52',
  yellow: '#FADE2A',
  'semi-dark-yellow': '#F2CC0C',
  'dark-yellow': '#E0B400',
  'super-light-green': '#C8F2C2',
  'light-green': '#96D98D',
  green: '#73BF69',
  'semi-dark-green': '#56A64B',
  'dark-green': '#37872D',
  'super-light-blue': '#C0D8FF',
  'light-blue': '#8AB8FF',
  blue: '#5794F2',
  'semi-dark-blue': '#3274D9',
  'dark-blue': '#1F60C4',
  'super-light-purple': '#DEB6F2',
  'light-purple': '#CA95E5',
  purple: '#B877D9',
  'semi-dark-purple': '#A352CC',
  'dark-purple': '#8F3BB8',
  transparent: 'transparent',
  panel: 'transparent',
  black: '#000000',
  white: '#FFFFFF',
  gray: '#8E8E8E',
};

/** A CSS colour for a name or value of a dashboard; `text` is the theme's own. */
export function cssColor(color: string): string {
  if (color === 'text') return 'var(--mantine-color-text)';
  return NAMED[color] ?? safeColor(color);
}

/** Only what can be a colour reaches a style. */
function safeColor(color: string): string {
  return /^(#[0-9a-fA-F]{3,8}|rgba?\([\d\s.,%]+\)|hsla?\([\d\s.,%a-z]+\)|[a-zA-Z]{3,24})$/.test(
    color,
  )
    ? color
    : '#8E8E8E';
}

type Rgb = readonly [number, number, number];

function rgb(color: string): Rgb {
  const hex = /^#([0-9a-f]{6})/i.exec(color)?.[1];
  if (hex !== undefined) {
    return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;
  }
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(color);
  if (short !== null)
    return short.slice(1, 4).map((d) => Number.parseInt(d + d, 16)) as unknown as Rgb;
  const parts = /^rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)/.exec(color);
  return parts === null ? [142, 142, 142] : [Number(parts[1]), Number(parts[2]), Number(parts[3])];
}

/** The colour at `share` of the way from one to the other. */
export function mix(from: string, to: string, share: number): string {
  const [a, b] = [rgb(cssColor(from)), rgb(cssColor(to))];
  const part = (i: 0 | 1 | 2) => Math.round(a[i] + (b[i] - a[i]) * share);
  return `rgb(${part(0)}, ${part(1)}, ${part(2)})`;
}

export function withAlpha(color: string, alpha: number): string {
  if (color === 'transparent') return color;
  const [r, g, b] = rgb(cssColor(color));
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

/** How bright a colour is to the eye, from 0 to 1 (WCAG's relative luminance). */
function luminance(color: string): number {
  const [r, g, b] = rgb(cssColor(color)).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Letters in the colour, darker or lighter by as much as it takes to read them on a panel. */
export function inkFor(color: string, dark: boolean): string {
  if (!/^(#|rgb)/.test(color)) return color;
  const [ground, towards] = dark ? ['#181b1f', '#ffffff'] : ['#ffffff', '#000000'];
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = share === 0 ? color : mix(color, towards, share);
    if (contrast(mixed, ground) >= 4.5) return mixed;
  }
  return towards;
}

/** Black or white, whichever is easier to read on the colour. */
export function readableOn(color: string): string {
  const [r, g, b] = rgb(cssColor(color));
  return (r * 299 + g * 587 + b * 114) / 1_000 > 150 ? '#1b1b1b' : '#ffffff';
}

/** Continuous schemes by their ids; a share of 0 is the first colour. */
const SCHEMES: Readonly<Record<string, readonly string[]>> = {
  'continuous-GrYlRd': ['green', 'yellow', 'red'],
  'continuous-RdYlGr': ['red', 'yellow', 'green'],
  'continuous-BlYlRd': ['dark-blue', 'super-light-yellow', 'dark-red'],
  'continuous-YlRd': ['super-light-yellow', 'dark-red'],
  'continuous-BlPu': ['#00d7ff', '#6a1b9a'],
  'continuous-YlBl': ['super-light-yellow', 'dark-blue'],
  'continuous-blues': ['#e6f0ff', 'dark-blue'],
  'continuous-reds': ['#ffe6e6', 'dark-red'],
  'continuous-greens': ['#e6ffe6', 'dark-green'],
  'continuous-purples': ['#f2e6ff', 'dark-purple'],
};

/** The colour of a continuous scheme at a share between 0 and 1. */
export function schemeColor(scheme: string, share: number): string | undefined {
  const stops = SCHEMES[scheme];
  if (stops === undefined) return undefined;
  const place = Math.min(Math.max(Number.isFinite(share) ? share : 0, 0), 1) * (stops.length - 1);
  const at = Math.min(Math.floor(place), stops.length - 2);
  return mix(stops[at] ?? 'gray', stops[at + 1] ?? 'gray', place - at);
}
