// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { aboveZero, markSpace, thresholdValues } from './chart';

it('gives a logarithmic scale ends above zero, whatever the values are', () => {
  expect(aboveZero(0.5, 8)).toEqual([0.5, 8]);
  expect(aboveZero(0, 8)).toEqual([0.008, 8]);
  expect(aboveZero(-3, 0)).toEqual([0.001, 1]);
});

it('marks every minute of five on a narrow chart, and seconds only where they fit', () => {
  const five = (pixels: number) => markSpace((pixels * 30) / 300);
  // A minute is 52 pixels there.
  expect(five(260)).toBeLessThanOrEqual(52);
  // Half a minute would fit into 60 pixels, its seconds would not.
  expect(five(600)).toBeGreaterThan(60);
});

it('takes thresholds in percent of the scale, and others as they are', () => {
  const steps = [
    { value: Number.NEGATIVE_INFINITY, color: 'green' },
    { value: 50, color: 'red' },
  ];
  const values = (percent: boolean) =>
    thresholdValues({ mode: 'area', percent, steps, scale: 'y' }, 2, 4).map(({ value }) => value);
  expect(values(true)).toEqual([Number.NEGATIVE_INFINITY, 3]);
  expect(values(false)).toEqual([Number.NEGATIVE_INFINITY, 50]);
});
