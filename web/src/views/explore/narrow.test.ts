import { expect, it } from 'vitest';
import { narrowed, volumeOf } from './narrow';

const member = (name: string, value: string) => ({ name, value, origin: 'line' }) as const;

it('narrows to a label, and to a member of a JSON line', () => {
  const label = { name: 'pod', value: 'a"b', origin: 'stream' } as const;
  expect(narrowed('{job="x"} ', label, true)).toBe('{job="x"} | pod="a\\"b"');
  expect(narrowed('{job="x"}', member('status', '500'), false)).toBe(
    '{job="x"} | json | status!="500"',
  );
  expect(narrowed('{a="b"} | json', member('http.path', '/'), true)).toBe(
    '{a="b"} | json | http_path="/"',
  );
  expect(narrowed('{a="b"}', member('0', '1'), true)).toContain('| _0="1"');
});

it('counts lines by level, not metrics', () => {
  expect(volumeOf(' {a="b"} |= "x"')).toBe(
    'sum by (detected_level) (count_over_time({a="b"} |= "x" [$__auto]))',
  );
  expect(volumeOf('rate({a="b"}[1m])')).toBeUndefined();
});
