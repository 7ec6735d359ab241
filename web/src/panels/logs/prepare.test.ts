import { expect, it } from 'vitest';
import { toLogFrame } from '../../api/loki';
import type { Labels } from '../../frame/frame';
import { byOrigin, detailsOf, levelOfLine, prepareRows, rowOf, shownLine } from './prepare';

const line = (ms: number, text: string, stream: Labels = {}) => ({
  ns: `${ms}000000`,
  ms,
  line: text,
  stream,
  metadata: {},
  parsed: {},
});
const frames = [
  toLogFrame([line(3, 'c'), line(1, 'a', { level: 'warn' })], { refId: 'A' }),
  toLogFrame([line(2, '{"level":"ERROR","status":500,"request":{"id":1}}', { job: 'x' })], {
    refId: 'B',
  }),
];

it('puts the lines of all queries into one order', () => {
  expect(prepareRows(frames, true).map((r) => r.ms)).toEqual([3, 2, 1]);
  expect(prepareRows(frames, false).map((r) => r.level)).toEqual(['warning', 'error', 'unknown']);
  expect(new Set(prepareRows(frames, true).map((r) => r.key)).size).toBe(3);
});

it('knows a line again when newer ones have come', () => {
  const lines = [line(3, 'c'), line(2, 'b'), line(2, 'a')];
  const keys = (all: typeof lines) => prepareRows([toLogFrame(all, {})], true).map((r) => r.key);
  expect(new Set(keys(lines)).size).toBe(3);
  expect(keys([line(5, 'e'), line(4, 'd'), ...lines]).slice(2)).toEqual(keys(lines));
});

it('finds the level in labels, else in the line', () => {
  expect(levelOfLine('error', { level: 'info' })).toBe('info');
  expect(levelOfLine('level=warn msg="no error"', {})).toBe('warning');
  expect(levelOfLine('{"severity":"Critical"}', {})).toBe('critical');
  expect(levelOfLine('2026-01-01 ERROR it broke', {})).toBe('error');
  expect(levelOfLine('terrorised', {})).toBe('unknown');
  expect(levelOfLine(`${' '.repeat(5_000)}error`, {})).toBe('unknown');
});

it('opens labels and the members of a JSON line', () => {
  const [, second] = prepareRows(frames, false);
  expect(second && detailsOf(second)).toEqual([
    { name: 'job', value: 'x', origin: 'stream' },
    { name: 'level', value: 'ERROR', origin: 'line' },
    { name: 'status', value: '500', origin: 'line' },
    { name: 'request', value: '{"id":1}', origin: 'line' },
  ]);
  expect(detailsOf({ key: '', ms: 0, line: '{not json', level: 'info', labels: {} })).toEqual([]);
});

it('tells the fields of a line by where they come from', () => {
  const parts = { metadata: { trace: 't1', level: 'x' }, parsed: { level: 'info' } };
  const row = rowOf({ ...line(1, '{"user":7}', { job: 'a' }), ...parts }, 'k');
  expect(byOrigin(detailsOf(row))).toEqual([
    ['stream', [{ name: 'job', value: 'a', origin: 'stream' }]],
    ['metadata', [{ name: 'trace', value: 't1', origin: 'metadata' }]],
    ['parsed', [{ name: 'level', value: 'info', origin: 'parsed' }]],
    ['line', [{ name: 'user', value: '7', origin: 'line' }]],
  ]);
});

it('keeps hostile lines as text', () => {
  expect(shownLine('\u001b[31mred\u001b[0m')).toBe('red');
  expect(shownLine('a\u202eb\u0000')).toBe('a·b·');
  expect(shownLine('<img src=x>')).toBe('<img src=x>');
  expect(shownLine('x'.repeat(1_000_000)).length).toBe(2_001);
});

it('keeps one object for the labels of lines that have the same', () => {
  const stream = { app: 'api' };
  const metadata = { detected_level: 'info' };
  const of = (more: object) =>
    rowOf({ ns: '1', ms: 0, line: 'x', stream, metadata, parsed: {}, ...more }, '0').labels;
  expect(of({})).toEqual({ app: 'api', detected_level: 'info' });
  expect(of({})).toBe(of({}));
  expect(of({ metadata: {} })).toBe(stream);
  expect(of({ parsed: { app: 'b' } })).toEqual({ app: 'b', detected_level: 'info' });
});
