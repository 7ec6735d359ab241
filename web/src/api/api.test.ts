import { expect, it, vi } from 'vitest';
import { ask, refused, search, Unreachable } from './http';
import { compareNanos, nanos, toLines, toLogFrame } from './loki';
import { toFrames } from './prometheus';

it('turns a matrix into a frame a series', () => {
  const frames = toFrames(
    {
      resultType: 'matrix',
      result: [
        {
          metric: { job: 'api' },
          values: [
            [1.5, '2'],
            [2.5, 'NaN'],
            [3.5, '+Inf'],
          ],
        },
      ],
    },
    { refId: 'A', legend: '{{job}}!' },
  );
  expect(frames[0]?.refId).toBe('A');
  expect(frames[0]?.fields[0]?.values).toEqual([1_500, 2_500, 3_500]);
  expect(frames[0]?.fields[1]?.values).toEqual([2, Number.NaN, Number.POSITIVE_INFINITY]);
  expect(frames[0]?.fields[1]?.config.displayName).toBe('{{job}}!');
});

it('turns scalars, strings and native histograms into frames too', () => {
  expect(toFrames({ resultType: 'scalar', result: [1, '4'] }, {})[0]?.fields[1]?.values).toEqual([
    4,
  ]);
  expect(toFrames({ resultType: 'string', result: [1, 'x'] }, {})[0]?.fields[1]?.values).toEqual([
    'x',
  ]);
  const buckets = [[0, '0.5', '1', '2']] as const;
  const value = { count: '2', sum: '1', buckets };
  const [native] = toFrames(
    { resultType: 'vector', result: [{ metric: {}, histogram: [1, value] }] },
    {},
  );
  expect(native?.fields[1]).toMatchObject({ type: 'other', values: [value] });
});

it('merges log streams newest first, with nanoseconds kept', () => {
  const lines = toLines({
    resultType: 'streams',
    result: [
      {
        stream: { app: 'a' },
        values: [
          ['1790000000000000002', 'two'],
          ['1790000000000000001', 'one'],
        ],
      },
      {
        stream: { app: 'b' },
        values: [['1790000000000000003', 'three', { parsed: { level: 'x' } }]],
      },
    ],
  });
  expect(lines.map((l) => l.line)).toEqual(['three', 'two', 'one']);
  expect(lines[0]).toMatchObject({ ms: 1_790_000_000_000, parsed: { level: 'x' } });
  const shown = toLogFrame(lines, { refId: 'L' });
  expect(shown.fields.map((f) => f.name)).toEqual(['Time', 'Line', 'labels', 'tsNs', 'parts']);
  expect(shown.fields[2]?.values[0]).toEqual({ app: 'b', level: 'x' });
  expect(compareNanos('999', '1000')).toBeLessThan(0);
  expect(nanos(1.7)).toBe('1000000');
});

it('quotes what the server said, in whatever shape', async () => {
  const said = async (body: string, status = 400) => {
    const error = await refused(new Response(body, { status }));
    return [error.message, error.kind];
  };
  expect(await said('{"status":"error","errorType":"bad_data","error":"parse error"}')).toEqual([
    'parse error',
    'bad_data',
  ]);
  expect(await said('{"message":"Dashboard not found"}', 404)).toEqual([
    'Dashboard not found',
    undefined,
  ]);
  expect(await said('parse error at line 1, col 2: x\n')).toEqual([
    'parse error at line 1, col 2: x',
    undefined,
  ]);
  expect(await said('', 503)).toEqual(['HTTP 503', undefined]);
});

it('repeats parameters that have several values', () => {
  expect(search({ 'match[]': ['up', '{a="b"}'], limit: 5, none: undefined })).toBe(
    'match%5B%5D=up&match%5B%5D=%7Ba%3D%22b%22%7D&limit=5',
  );
});

it('keeps one object for equal metadata of a stream', () => {
  const value = (ns: string, level: string): [string, string, object] => [
    ns,
    'line',
    { structuredMetadata: { detected_level: level } },
  ];
  const values = [value('3000000', 'info'), value('2000000', 'error'), value('1000000', 'info')];
  const lines = toLines({ resultType: 'streams', result: [{ stream: { app: 'x' }, values }] });
  expect(lines.map((l) => l.metadata.detected_level)).toEqual(['info', 'error', 'info']);
  expect(lines[0]?.metadata).toBe(lines[2]?.metadata);
});

it('says in its own words that no answer came, and leaves an abort alone', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  await expect(ask('/api/x')).rejects.toThrow(/cannot be reached/);
  await expect(ask('/api/x')).rejects.toBeInstanceOf(Unreachable);
  vi.stubGlobal('fetch', () => Promise.reject(new DOMException('gone', 'AbortError')));
  await expect(ask('/api/x')).rejects.toThrow('gone');
  vi.unstubAllGlobals();
});
