import { expect, it } from 'vitest';
import { applyOptions } from '../../dashboard/fields/apply';
import { field, frame } from '../../frame/frame';
import { arcPath, prepareGauges } from './prepare';

const steps = [
  { value: Number.NEGATIVE_INFINITY, color: 'green' },
  { value: 80, color: 'red' },
];

it('places the value and its bands between minimum and maximum', () => {
  const frames = applyOptions(
    [frame([field('Time', 'time', [1, 2]), field('Value', 'number', [10, 50])])],
    { min: 0, max: 100, thresholds: { mode: 'absolute', steps } },
    [],
  );
  const [gauge] = prepareGauges(frames, {});
  expect(gauge).toMatchObject({
    share: 0.5,
    bands: [
      { from: 0, to: 0.8, color: '#73BF69' },
      { from: 0.8, to: 1, color: '#F2495C' },
    ],
  });
});

it('counts percentages of the scale', () => {
  const frames = applyOptions(
    [frame([field('Value', 'number', [3])])],
    { min: 0, max: 4, thresholds: { mode: 'percentage', steps } },
    [],
  );
  expect(prepareGauges(frames, {})[0]?.bands[1]).toMatchObject({ from: 0.8, to: 1 });
});

it('draws an arc over three quarters of a circle', () => {
  expect(arcPath([0, 0], 10, 0, 0.5)).toBe('M-7.07,7.07 A10,10 0 0 1 -0.00,-10.00');
  expect(arcPath([0, 0], 10, 0, 1)).toContain(' 0 1 1 ');
});
