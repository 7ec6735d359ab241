import { expect, it } from 'vitest';
import type { LogLine } from '../../api/loki';
import { joinPage, nextBounds, ordered } from './pages';

const line = (ns: string, text = ns): LogLine => ({
  ns,
  ms: 0,
  line: text,
  stream: {},
  metadata: {},
  parsed: {},
});
const texts = (lines: readonly LogLine[]) => lines.map((l) => l.line);

it('takes the instant at which a page was cut from the next one', () => {
  const first = joinPage([], [line('9'), line('5', 'a')], 2);
  expect(first.more).toBe(true);
  expect(nextBounds(first.page, { from: '1', to: '99' }, false)).toEqual({ start: '1', end: '6' });
  const second = joinPage(first.page, [line('5', 'a'), line('5', 'b'), line('3')], 4);
  expect(second.kept).toBe(1);
  expect(texts(second.page)).toEqual(['a', 'b', '3']);
  expect(second.more).toBe(false);
});

it('ends where a page brings nothing, or nothing but one instant', () => {
  const some = [line('9'), line('5')];
  expect(joinPage(some, [], 2)).toEqual({ kept: 2, page: [], more: false });
  const stuck = joinPage(some, [line('5', 'x'), line('5', 'y')], 2);
  expect(stuck).toEqual({ kept: 2, page: [], more: false });
});

it('goes both ways', () => {
  expect(texts(ordered([line('10'), line('9'), line('11')], true))).toEqual(['9', '10', '11']);
  expect(nextBounds([line('9')], { from: '1', to: '99' }, true)).toEqual({ start: '9', end: '99' });
});
