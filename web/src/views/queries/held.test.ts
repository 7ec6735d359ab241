import { expect, it } from 'vitest';
import { held } from './held';

const row = (id: number, text = '') => ({ id, text });

it('moves no row, keeps those that are gone, and puts new ones below', () => {
  const before = [row(1), row(2), row(3)];
  const now = [row(9), row(3, 'longer'), row(1, 'longer')];
  const rows = held(before, now);
  expect(rows).toEqual([row(1, 'longer'), row(2), row(3, 'longer'), row(9)]);
  expect(held(rows, now)).toEqual(rows);
  expect(held([], now)).toEqual(now);
});

it('lets go of a list that has become long', () => {
  const many = Array.from({ length: 100 }, (_, id) => row(id));
  expect(held(many, [row(5)])).toHaveLength(100);
  expect(held(many, [row(100)])).toEqual([row(100)]);
});
