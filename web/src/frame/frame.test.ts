import { expect, it } from 'vitest';
import { displayName, field, fillLabels, formatLabels, frame } from './frame';

it('writes label sets as Prometheus does', () => {
  expect(formatLabels({})).toBe('{}');
  expect(formatLabels({ __name__: 'up' })).toBe('up');
  expect(formatLabels({ job: 'a"b', __name__: 'up', a: '1' })).toBe('up{a="1", job="a\\"b"}');
});

it('names a field by what tells it apart', () => {
  const names = (...fields: ReturnType<typeof field>[]) => {
    const frames = fields.map((f) => frame([f]));
    return fields.map((f) => displayName(f, frames));
  };
  expect(names(field('Value', 'number', [1], { labels: { job: 'api' } }))).toEqual(['api']);
  expect(names(field('Value', 'number', [1], { labels: { __name__: 'up', job: 'api' } }))).toEqual([
    'up{job="api"}',
  ]);
  expect(
    names(
      field('Value', 'number', [1], { config: { displayName: 'p{{q}}' }, labels: { q: '99' } }),
    ),
  ).toEqual(['p99']);
  expect(names(field('', 'time', [1]))).toEqual(['Time']);
});

it('numbers the fields of a frame that share a name', () => {
  const [first, second] = [field('Time', 'time', [1]), field('Time', 'time', [2])];
  const cpu = field('Value #A', 'number', [3]);
  const own = field('Time', 'time', [4], { config: { displayName: 'Seen' } });
  const frames = [frame([first, cpu, second, own])];
  expect([first, cpu, second, own].map((f) => displayName(f, frames))).toEqual([
    'Time 1',
    'Value #A',
    'Time 2',
    'Seen',
  ]);
});

it('fills templates and leaves unknown labels empty', () => {
  const of = field('Value', 'number', [], { labels: { job: 'api' } });
  expect(fillLabels('${__field.labels.job}-${__field.labels.nope}-${__field.name}', of)).toBe(
    'api--Value',
  );
});

it('refuses columns of different lengths', () => {
  expect(() => frame([field('a', 'number', [1]), field('b', 'number', [])])).toThrow(/BUG/);
});
