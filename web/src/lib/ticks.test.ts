import { expect, it } from 'vitest';
import { ticks, timeMark, timeTicks } from './ticks';

it('marks round places', () => {
  expect(ticks(0, 10, 5)).toEqual([0, 2, 4, 6, 8, 10]);
  expect(ticks(-0.3, 0.3, 6)).toEqual([-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]);
  expect(ticks(3, 3, 5)).toEqual([3]);
  expect(ticks(0, Number.POSITIVE_INFINITY, 5)).toEqual([0]);
  expect(ticks(997, 1_003, 3)).toEqual([998, 1_000, 1_002]);
});

it('marks whole hours of a zone', () => {
  const hour = 3_600_000;
  expect(timeTicks(0, 3 * hour, 3, 0)).toEqual([0, hour, 2 * hour, 3 * hour]);
  // Half an hour east: whole hours there are half past here.
  expect(timeTicks(0, 2 * hour, 2, hour / 2)).toEqual([hour / 2, 1.5 * hour]);
  expect(timeTicks(0, 1e15, 5, 0).length).toBeLessThan(205);
});

it('writes marks by their distance', () => {
  const at = Date.UTC(2026, 8, 1, 10, 5, 7);
  expect(timeMark(at, 1_000, 'utc')).toBe('10:05:07');
  expect(timeMark(at, 60_000, 'utc')).toBe('10:05');
  expect(timeMark(Date.UTC(2026, 8, 1), 3_600_000, 'utc')).toBe('09-01');
  expect(timeMark(at, 86_400_000, 'utc')).toBe('09-01');
  expect(timeMark(at, 30 * 86_400_000, 'utc')).toBe('2026-09');
});
