import { expect, it } from 'vitest';
import type { LogLine } from '../../api/loki';
import { FoundLines } from './lines';

const line = (text: string): LogLine => ({
  ns: '1',
  ms: 0,
  line: text,
  stream: {},
  metadata: {},
  parsed: {},
});

it('keeps lines in order over many pages, and cuts them', () => {
  const lines = new FoundLines();
  for (let page = 0; page < 5; page += 1)
    lines.add(Array.from({ length: 3_000 }, (_, at) => line(String(page * 3_000 + at))));
  expect(lines.length).toBe(15_000);
  for (const at of [0, 2_999, 4_095, 4_096, 14_999]) expect(lines.at(at)?.line).toBe(String(at));
  expect(lines.at(15_000)).toBeUndefined();
  const letters = lines.letters;
  lines.cut(4_096);
  expect(lines.length).toBe(4_096);
  expect(lines.at(4_096)).toBeUndefined();
  lines.add([line('more')]);
  expect(lines.at(4_096)?.line).toBe('more');
  lines.cut(0);
  expect([lines.length, lines.letters]).toEqual([0, 0]);
  expect(letters).toBeGreaterThan(15_000);
});

it('shows rows of the moment, with keys that stay', () => {
  const lines = new FoundLines();
  lines.add([line('a'), line('b')]);
  const before = lines.rows();
  lines.add([line('c')]);
  expect([before.length, before.at(2)]).toEqual([2, undefined]);
  const now = lines.rows();
  expect([now.at(1)?.key, now.at(1)?.source]).toEqual([before.at(1)?.key, before.at(1)?.source]);
  expect(now.at(2)?.line).toBe('c');
});
