import { expect, it } from 'vitest';
import { applyOptions } from '../../dashboard/fields/apply';
import { field, frame } from '../../frame/frame';
import { prepareBarChart } from './prepare';

const frames = applyOptions(
  [
    frame([
      field('handler', 'string', ['/a', '/b']),
      field('ok', 'number', [3, 1]),
      field('bad', 'number', [1, null]),
    ]),
  ],
  { color: { mode: 'palette-classic' } },
  [],
);
const spans = (options: object) =>
  prepareBarChart(frames, { ...options }, [300, 200])?.series.map((s) =>
    s.bars.map((b) => [b.from, b.to]),
  );

it('makes a group for each row and a bar for each number', () => {
  const view = prepareBarChart(frames, {}, [300, 200]);
  expect(view).toMatchObject({ names: ['/a', '/b'], low: 0, high: 3, horizontal: false });
  expect(view?.series.map((s) => s.name)).toEqual(['ok', 'bad']);
  expect(spans({})).toEqual([
    [
      [0, 3],
      [0, 1],
    ],
    [
      [0, 1],
      [0, 0],
    ],
  ]);
});

it('stacks, and stacks to one hundred percent', () => {
  expect(spans({ stacking: 'normal' })?.[1]?.[0]).toEqual([3, 4]);
  expect(spans({ stacking: 'percent' })?.[1]?.[0]).toEqual([0.75, 1]);
});

it('lies down where that is asked for or the panel is narrow', () => {
  expect(prepareBarChart(frames, { orientation: 'horizontal' }, [300, 200])?.horizontal).toBe(true);
  expect(prepareBarChart(frames, {}, [100, 200])?.horizontal).toBe(true);
  expect(prepareBarChart([], {}, [1, 1])).toBeUndefined();
});
