import { expect, it } from 'vitest';
import { applyOptions } from '../../dashboard/fields/apply';
import { field, frame } from '../../frame/frame';
import { prepareSlices, slicePath } from './prepare';

const one = (job: string, value: number) =>
  frame([field('Value', 'number', [value], { labels: { job } })]);
const frames = applyOptions(
  [one('a', 1), one('b', 3), one('none', 0), one('less', -4), one('all', Infinity)],
  { color: { mode: 'palette-classic' } },
  [],
);

it('cuts the whole into shares, the largest first', () => {
  expect(prepareSlices(frames, {}).map((s) => [s.name, s.start, s.share])).toEqual([
    ['b', 0, 0.75],
    ['a', 0.75, 0.25],
  ]);
  expect(prepareSlices(frames, { sort: 'asc' })[0]?.name).toBe('a');
  expect(prepareSlices([], {})).toEqual([]);
});

it('gives each row a colour when the rows are the slices', () => {
  const table = applyOptions(
    [frame([field('name', 'string', ['x', 'y']), field('Value', 'number', [1, 2])])],
    { color: { mode: 'palette-classic' } },
    [],
  );
  const slices = prepareSlices(table, { reduceOptions: { values: true } });
  expect(slices.map((s) => s.name)).toEqual(['y', 'x']);
  expect(new Set(slices.map((s) => s.shown.color)).size).toBe(2);
});

it('draws a whole circle too', () => {
  expect(slicePath({ start: 0, share: 1 }, [0, 0], 10, 0)).toContain('A10,10 0 1 1');
  expect(slicePath({ start: 0, share: 0.25 }, [0, 0], 10, 5)).toBe(
    'M0.00,-10.00 A10,10 0 0 1 10.00,0.00 L5.00,0.00 A5,5 0 0 0 0.00,-5.00 Z',
  );
});
