import { expect, it } from 'vitest';
import { thinned } from './thin';

const exemplar = (at: number, value: number) => ({
  at,
  value,
  labels: { request_id: `${value}` },
  series: {},
});

it('keeps the greatest of those that lie together, each once, within the range', () => {
  const range = { from: 0, to: 600 };
  const together = [1, 9, 5, 7, 9].map((value) => exemplar(100, value));
  const kept = thinned([...together, exemplar(500, 1), exemplar(700, 1)], range);
  expect(kept.map((e) => [e.at, e.value])).toEqual([
    [100, 9],
    [100, 7],
    [500, 1],
  ]);
});
