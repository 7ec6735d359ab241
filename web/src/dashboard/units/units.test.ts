import { expect, it } from 'vitest';
import { joined } from './format';
import { fromNow } from './time';
import { formatter, UNITS } from './units';

it('writes values as Grafana does', () => {
  const rows: [
    unit: string | undefined,
    value: number,
    decimals: number | undefined,
    want: string,
  ][] = [
    [undefined, 1_500, undefined, '1.50 K'],
    ['none', 2.71828, 2, '2.72'],
    ['short', 1_234_567, 2, '1.23 Mil'],
    ['short', 12, undefined, '12'],
    ['percent', 12.5, undefined, '12.5%'],
    ['percentunit', 0.256, undefined, '25.6%'],
    ['percentunit', 1, undefined, '100%'],
    ['bytes', 1_536, undefined, '1.50 KiB'],
    ['bytes', 0, undefined, '0 B'],
    ['decbytes', 1_500_000, 1, '1.5 MB'],
    ['kbytes', 2_048, undefined, '2 MiB'],
    ['Bps', 2_000, undefined, '2 kB/s'],
    ['bps', 999, undefined, '999 b/s'],
    ['s', 0.25, undefined, '250 ms'],
    ['s', 90, undefined, '1.50 mins'],
    ['s', 60, undefined, '1 min'],
    ['ms', 1_500, undefined, '1.50 s'],
    ['ms', 0, undefined, '0 ms'],
    ['ns', 1_500, undefined, '1.50 µs'],
    ['dthms', 3_661, undefined, '01:01:01'],
    ['dtdurations', 7_200, undefined, '2 hours'],
    ['reqps', 1_200, undefined, '1.20 K req/s'],
    ['hertz', 2_400_000_000, 1, '2.4 GHz'],
    ['volt', 0.012, undefined, '12 mV'],
    ['celsius', 21.5, undefined, '21.5 °C'],
    ['currencyUSD', 1_500, 1, '$1.5K'],
    ['hex0x', 255, undefined, '0xFF'],
    ['bool_on_off', 1, undefined, 'On'],
    ['suffix:rows', 3, undefined, '3 rows'],
    ['rows', 3, undefined, '3 rows'],
    ['prefix:#', 3, undefined, '#3'],
    ['si:mV', 1_500, undefined, '1.50 V'],
    ['count:jobs', 2_000, undefined, '2 K jobs'],
    ['none', Number.NaN, undefined, 'NaN'],
    ['none', Number.POSITIVE_INFINITY, undefined, '∞'],
    ['short', Number.POSITIVE_INFINITY, undefined, '∞'],
    ['bytes', Number.NEGATIVE_INFINITY, undefined, '-∞'],
    ['s', Number.POSITIVE_INFINITY, undefined, '∞'],
    ['none', -1e300, undefined, '-1e+300'],
    ['none', 1.5e-300, undefined, '1.5e-300'],
    ['none', 1.5e-300, 2, '0.00'],
    ['none', 123_456_789_012_345_680, undefined, '123456789012345680'],
  ];
  for (const [unit, value, decimals, want] of rows) {
    expect(joined(formatter(unit)(value, decimals)), `${unit} ${value}`).toBe(want);
  }
});

it('knows every id once, and writes any number in each', () => {
  expect(new Set(UNITS.map((unit) => unit.id)).size).toBe(UNITS.length);
  for (const unit of UNITS) {
    for (const value of [0, 1, -1.5, 1e-12, 1e21, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(joined(unit.format(value)).length, `${unit.id} ${value}`).toBeGreaterThan(0);
    }
  }
});

it('says how long ago in words', () => {
  expect(fromNow(0, 10_000)).toBe('a few seconds ago');
  expect(fromNow(0, 3_600_000)).toBe('an hour ago');
  expect(fromNow(86_400_000 * 3, 0)).toBe('in 3 days');
});
