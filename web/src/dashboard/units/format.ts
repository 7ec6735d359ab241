/** A number with its unit, in the parts that a panel may draw in different sizes. */
export type Formatted = {
  readonly prefix?: string;
  readonly text: string;
  readonly suffix?: string;
};

export type Formatter = (value: number, decimals?: number) => Formatted;

/** Prefix, text and suffix in one string. */
export function joined(formatted: Formatted): string {
  return `${formatted.prefix ?? ''}${formatted.text}${formatted.suffix ?? ''}`;
}

/** Digits after the point that show three places of a value, and none of a whole number. */
export function usualDecimals(value: number): number {
  if (Number.isInteger(value) || !Number.isFinite(value)) return 0;
  return Math.min(Math.max(2 - Math.floor(Math.log10(Math.abs(value))), 0), 20);
}

/** A number with as many digits as asked for, else as many as are usual. */
export function fixed(value: number, decimals?: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '-∞' : 'NaN';
  // Numbers with more digits than a person reads.
  const short = decimals === undefined && usualDecimals(value) > 15;
  if (short || Math.abs(value) >= 1e21) return value.toExponential(2).replace(/\.?0+e/, 'e');
  return value.toFixed(Math.min(Math.max(decimals ?? usualDecimals(value), 0), 20));
}

/** Scales by `factor` until the value is below it: `1.5 K`, `2 MiB`. */
export function scaled(factor: number, units: readonly string[], offset = 0): Formatter {
  return (value, decimals) => {
    // No unit is large enough, or small enough, for these.
    if (!Number.isFinite(value)) return { text: fixed(value) };
    let step = offset;
    let rest = value;
    while (Math.abs(rest) >= factor && step < units.length - 1) {
      rest /= factor;
      step += 1;
    }
    while (rest !== 0 && Math.abs(rest) < 1 && step > 0) {
      rest *= factor;
      step -= 1;
    }
    return { text: fixed(rest, decimals), suffix: units[step] ?? '' };
  };
}

const SMALL = ['f', 'p', 'n', 'µ', 'm'];
const LARGE = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];

/** Decimal prefixes in front of a symbol, small ones too: `12 mV`, `3 kV`. */
export function decimal(symbol: string, offset = 0): Formatter {
  const units = [...SMALL, ...LARGE].map((prefix) => ` ${prefix}${symbol}`);
  return scaled(1_000, units, SMALL.length + offset);
}

/** Binary prefixes: `1.5 KiB`. */
export function binary(symbol: string, offset = 0): Formatter {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'].map((p) => ` ${p}${symbol}`);
  return scaled(1_024, units, offset);
}

/** Decimal prefixes upwards only: `1.5 kB`. */
export function decimalUp(symbol: string, offset = 0): Formatter {
  return scaled(
    1_000,
    LARGE.map((prefix) => ` ${prefix}${symbol}`),
    offset,
  );
}

/** Counts of things: `1.5 K req/s`. */
export function counted(symbol: string): Formatter {
  const after = symbol === '' ? '' : ` ${symbol}`;
  return scaled(
    1_000,
    ['', ' K', ' Mil', ' Bil', ' Tri'].map((prefix) => `${prefix}${after}`),
  );
}

/** The number and a fixed symbol. */
export function plain(symbol: string): Formatter {
  return (value, decimals) => ({
    text: fixed(value, decimals),
    ...(symbol === '' ? {} : { suffix: ` ${symbol}` }),
  });
}

/** Money and other symbols that stand in front. */
export function before(symbol: string): Formatter {
  const units = ['', 'K', 'M', 'B', 'T'];
  const scale = scaled(1_000, units);
  return (value, decimals) => ({ prefix: symbol, ...scale(value, decimals) });
}
