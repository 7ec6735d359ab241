import { expect, it } from 'vitest';
import { readHistory, remembered, writeHistory } from './history';

it('keeps each expression once, newest first, and not too many', () => {
  let past = remembered([], 'a', 1);
  past = remembered(past, 'b', 2);
  past = remembered(past, 'a', 3);
  expect(past).toEqual([
    { expr: 'a', at: 3 },
    { expr: 'b', at: 2 },
  ]);
  expect(remembered(past, '  ', 4)).toBe(past);
  for (let at = 0; at < 300; at += 1) past = remembered(past, `x${at}`, at);
  expect(past.length).toBe(100);
});

it('survives a storage that holds anything, or takes nothing', () => {
  const holding = (text: string | null) => ({ getItem: () => text });
  for (const text of [null, 'x', '{}', '[1,null,{"expr":2}]'])
    expect(readHistory('logs', holding(text))).toEqual([]);
  expect(readHistory('logs', holding('[{"expr":"a","at":1}]'))).toEqual([{ expr: 'a', at: 1 }]);
  const full = {
    setItem: () => {
      throw new Error('full');
    },
  };
  expect(() => writeHistory('logs', [], full)).not.toThrow();
});
