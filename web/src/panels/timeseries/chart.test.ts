// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { aboveZero } from './chart';

it('gives a logarithmic scale ends above zero, whatever the values are', () => {
  expect(aboveZero(0.5, 8)).toEqual([0.5, 8]);
  expect(aboveZero(0, 8)).toEqual([0.008, 8]);
  expect(aboveZero(-3, 0)).toEqual([0.001, 1]);
});
