import { expect, it } from 'vitest';
import type { LogLine } from '../../api/loki';
import { neighbours } from './neighbours';

const line = (ns: string, text: string): LogLine => ({
  ns,
  ms: 0,
  line: text,
  stream: {},
  metadata: {},
  parsed: {},
});

it('puts a line between those before and those after it', () => {
  const { lines, at } = neighbours(
    line('50', 'me'),
    [line('40', 'b'), line('9', 'a')],
    [line('60', 'd'), line('50', 'twin'), line('50', 'me')],
  );
  expect(lines.map((l) => l.line)).toEqual(['a', 'b', 'twin', 'me', 'd']);
  expect(lines[at]?.line).toBe('me');
});

it('keeps a line that is not among those of its stream', () => {
  const { lines, at } = neighbours(line('50', 'rewritten'), [], [line('60', 'd')]);
  expect(lines.map((l) => l.line)).toEqual(['rewritten', 'd']);
  expect(at).toBe(0);
});
