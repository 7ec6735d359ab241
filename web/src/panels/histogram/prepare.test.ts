import { expect, it } from 'vitest';
import { field, frame } from '../../frame/frame';
import { prepareHistogram } from './prepare';

const values = (...all: (number | null)[]) => [frame([field('Value', 'number', all)])];

it('counts values into buckets of a round width', () => {
  const view = prepareHistogram(values(0, 1, 1, null, 9, Number.NaN), { bucketCount: 5 });
  expect(view).toMatchObject({ start: 0, size: 2, most: 3 });
  expect(view?.series[0]?.counts).toEqual([3, 0, 0, 0, 1]);
});

it('takes the width that the file says, within reason', () => {
  expect(prepareHistogram(values(0, 10), { bucketSize: 5 })?.series[0]?.counts).toEqual([1, 0, 1]);
  const fine = prepareHistogram(values(0, 1e9), { bucketSize: 1e-9 });
  expect(fine?.series[0]?.counts.length).toBeLessThanOrEqual(300);
});

it('stands one value, and shows nothing for none', () => {
  expect(prepareHistogram(values(5, 5), {})?.series[0]?.counts).toEqual([2]);
  expect(prepareHistogram(values(null), {})).toBeUndefined();
  expect(prepareHistogram([], {})).toBeUndefined();
});

it('combines series when asked', () => {
  const two = [...values(1), ...values(2)];
  expect(prepareHistogram(two, { bucketSize: 1 })?.series.length).toBe(2);
  expect(prepareHistogram(two, { bucketSize: 1, combine: true })?.series[0]?.counts).toEqual([
    1, 1,
  ]);
});
