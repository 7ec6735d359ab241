import { expect, it } from 'vitest';
import { field, frame } from '../../frame/frame';
import { cellColor } from './color';
import { prepareHeatmap } from './prepare';

const range = { from: 0, to: 60_000 };
const bucket = (le: string, ...counts: number[]) =>
  frame([
    field(
      'Time',
      'time',
      counts.map((_, at) => at * 1_000),
    ),
    field('Value', 'number', counts, { labels: { le } }),
  ]);

it('orders classic buckets by their bounds', () => {
  const view = prepareHeatmap(
    [bucket('+Inf', 0, 1), bucket('10', 5, Number.NaN), bucket('2', 3, 4)],
    {},
    range,
  );
  expect(view?.rows.map((r) => r.upper)).toEqual([2, 10, Number.POSITIVE_INFINITY]);
  expect(view).toMatchObject({
    counts: [
      [3, 4],
      [5, 0],
      [0, 1],
    ],
    step: 1_000,
    low: 1,
    high: 5,
  });
});

it('adds up native histograms', () => {
  const histogram = (count: string) => ({ count, sum: '1', buckets: [[0, '1', '2', count]] });
  const one = (count: string) =>
    frame([field('Time', 'time', [1_000]), field('Value', 'other', [histogram(count)])]);
  const view = prepareHeatmap([one('3'), one('4')], {}, range);
  expect(view).toMatchObject({ rows: [{ name: '2', upper: 2 }], counts: [[7]] });
});

it('counts plain series when asked', () => {
  const plain = frame([
    field('Time', 'time', [0, 100, 30_000]),
    field('Value', 'number', [1, 1, 20]),
  ]);
  const view = prepareHeatmap([plain], { calculate: true }, range);
  expect(view?.counts.flat().reduce((a, b) => a + b)).toBe(3);
  expect(view?.high).toBe(2);
  expect(prepareHeatmap([], {}, range)).toBeUndefined();
});

it('colours by a scheme or by strength', () => {
  expect(cellColor({ scheme: 'Blues' })(0)).toBe('rgb(247, 251, 255)');
  expect(cellColor({ scheme: 'Blues', reverse: true })(1)).toBe('rgb(247, 251, 255)');
  expect(cellColor({ scheme: 'gone' })(1)).toBe('rgb(127, 39, 4)');
  expect(cellColor({ mode: 'opacity', fill: 'red' })(1)).toBe('rgba(242, 73, 92, 1)');
});
