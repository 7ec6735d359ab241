import { expect, it } from 'vitest';
import { filtered, readFilter, writeFilter } from './adhoc';

const filters = [
  { label: 'job', op: '=', value: 'a"b' },
  { label: 'pod', op: '!~', value: 'x.*' },
];
const more = 'job="a\\"b", pod!~"x.*"';

it('adds conditions to every selector of PromQL, and to nothing else', async () => {
  const f = (expr: string) => filtered(expr, filters, 'prometheus');
  expect(await f('sum by (job) (rate(a[5m])) / on (x) b{c="d"}')).toBe(
    `sum by (job) (rate(a{${more}}[5m])) / on (x) b{${more}, c="d"}`,
  );
  expect(await f('{__name__="a"} + a{} + time()')).toBe(
    `{${more}, __name__="a"} + a{${more}} + time()`,
  );
  expect(await filtered('up', [], 'prometheus')).toBe('up');
});

it('adds conditions to every selector of LogQL, not to templates', async () => {
  const expr = 'rate({a="}"} |= "{x}" | line_format `{{.y}}` [5m]) + rate({b="c"}[1m])';
  expect(await filtered(expr, filters, 'loki')).toBe(
    `rate({${more}, a="}"} |= "{x}" | line_format \`{{.y}}\` [5m]) + rate({${more}, b="c"}[1m])`,
  );
});

it('compares numbers behind the selectors of LogQL, and nowhere in PromQL', async () => {
  const slow = { label: 'duration_ms', op: '>', value: '250' };
  expect(await filtered('sum(rate({a="}"} | json [1m]))', [slow], 'loki')).toBe(
    'sum(rate({a="}"} | duration_ms > 250 | json [1m]))',
  );
  expect(await filtered('{ }', [{ label: 'a', op: '=', value: 'b' }, slow], 'loki')).toBe(
    '{a="b"} | duration_ms > 250',
  );
  for (const value of ['', '1 | line_format "x"'])
    expect(await filtered('{a="b"}', [{ ...slow, value }], 'loki')).toBe('{a="b"}');
  expect(await filtered('up', [slow], 'prometheus')).toBe('up');
});

it('is written into an address as Grafana writes it', () => {
  const filter = { label: 'path', op: '=~', value: 'a|b' };
  expect(writeFilter(filter)).toBe('path|=~|a__gfp__b');
  expect(readFilter('path|=~|a__gfp__b')).toEqual(filter);
  expect(readFilter('ms|<|1')).toEqual({ label: 'ms', op: '<', value: '1' });
  for (const bad of ['', 'a', 'a|b', '|=|b', 'a|<=|1']) expect(readFilter(bad)).toBeUndefined();
});
