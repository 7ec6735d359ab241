// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { aboveZero, markSpace } from './chart';

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
