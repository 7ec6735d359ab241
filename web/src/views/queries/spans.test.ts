import { expect, it } from 'vitest';
import { bars } from './spans';

it('places steps over the whole time', () => {
  const span = (what: string, startSeconds: number, tookSeconds: number) => ({
    what,
    startSeconds,
    tookSeconds,
  });
  expect(bars([span('select', 1, 2), span('late', 4, 0)], 4)).toEqual([
    { what: 'select', left: 25, width: 50 },
    { what: 'late', left: 99.5, width: 0.5 },
  ]);
  expect(bars([], 0)).toEqual([]);
});
