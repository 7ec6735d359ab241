import { expect, it } from 'vitest';
import { builtinValue, intervalMs, minimumInterval } from './builtin';
import type { Language, VariableValue } from './format';
import { interpolate, references } from './interpolate';

const values: Record<string, VariableValue> = {
  one: 'a.b',
  many: ['a.b', 'c|d'],
  quote: `it's "x"`,
};

function write(template: string, language: Language = 'none') {
  const lookup = (name: string) => {
    const value = values[name];
    return value === undefined
      ? undefined
      : { value, text: typeof value === 'string' ? [value] : value };
  };
  return interpolate(template, { lookup }, language);
}

it('finds variables in every notation and leaves others alone', () => {
  expect(write('$one ${one} [[one]] $none ${none:csv} $$ [[none]]')).toBe(
    'a.b a.b a.b $none ${none:csv} $$ [[none]]',
  );
  expect(references('$a ${b:csv} [[c]] $a')).toEqual(['a', 'b', 'c']);
});

it('writes every format', () => {
  const rows: [string, string][] = [
    ['${many:csv}', 'a.b,c|d'],
    ['${many:pipe}', 'a.b|c|d'],
    ['${many:regex}', '(a\\.b|c\\|d)'],
    ['${one:regex}', 'a\\.b'],
    ['${many:glob}', '{a.b,c|d}'],
    ['${many:json}', '["a.b","c|d"]'],
    ['${quote:doublequote}', '"it\'s \\"x\\""'],
    ['${quote:singlequote}', "'it\\'s \"x\"'"],
    ['${quote:sqlstring}', "'it''s \"x\"'"],
    ['${many:queryparam}', 'var-many=a.b&var-many=c%7Cd'],
    ['${many:percentencode}', '%7Ba.b%2Cc%7Cd%7D'],
    ['${many:text}', 'a.b + c|d'],
    ['${many:distributed}', 'a.b,many=c|d'],
    ['${many:raw}', 'a.b,c|d'],
    ['[[many:pipe]]', 'a.b|c|d'],
  ];
  for (const [template, want] of rows) expect(write(template), template).toBe(want);
});

it('escapes several values for a regular expression in PromQL', () => {
  expect(write('{job=~"$many"}', 'prometheus')).toBe('{job=~"(a\\\\.b|c\\\\|d)"}');
  expect(write('{job="$one"}', 'prometheus')).toBe('{job="a.b"}');
});

it('knows the intervals of a panel', () => {
  const range = { from: 0, to: 3_600_000 };
  expect(intervalMs(range, 360)).toBe(10_000);
  expect(intervalMs(range, 360, 15_000)).toBe(15_000);
  expect(minimumInterval('>30s')).toBe(30_000);
  const of = { range, intervalMs: 10_000, scrapeMs: 15_000, zone: 'utc' };
  expect(builtinValue('__rate_interval', of)).toBe('1m');
  expect(builtinValue('__rate_interval', { ...of, intervalMs: 60_000 })).toBe('1m15s');
  expect(builtinValue('__range', of)).toBe('3600s');
  expect(builtinValue('__interval_ms', of)).toBe('10000');
  expect(builtinValue('__nothing', of)).toBeUndefined();
});
