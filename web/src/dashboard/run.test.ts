import { expect, it } from 'vitest';
import { toFrames } from '../api/prometheus';
import { type Environment, plan, shape, toTable, writeText } from './run';
import type { Panel } from './schema/model';
import { readPanel } from './schema/panel';

const panel = (json: object): Panel => {
  const read = readPanel(
    { id: 1, type: 'timeseries', ...json },
    { report: () => {}, sources: { inputs: new Map(), variables: new Map() } },
  );
  if (read === undefined) throw new Error('not read');
  return read;
};

const environment: Environment = {
  range: { from: 0, to: 3_600_000 },
  zone: 'utc',
  points: 360,
  scrapeMs: 15_000,
  values: (name) =>
    name === 'job'
      ? { value: ['a', 'b'], text: ['a', 'b'] }
      : name === 'i'
        ? { value: '$__auto_interval_i', text: ['auto'] }
        : undefined,
};

it('writes variables and intervals into the requests', () => {
  const { requests } = plan(
    panel({
      targets: [
        {
          refId: 'A',
          expr: 'rate(x{job=~"$job"}[$__rate_interval])',
          legendFormat: '{{job}} $job',
        },
        { refId: 'B', expr: 'y', instant: true, range: true },
        { refId: 'C', expr: 'z', hide: true },
        {
          refId: 'D',
          expr: 'count_over_time({a="b"}[$__auto])',
          datasource: { type: 'loki', uid: 'loki' },
          maxLines: 5,
        },
        { refId: 'E', expr: 'rate(x[$i])' },
      ],
    }),
    environment,
  );
  expect(requests.map((r) => [r.refId, r.kind, r.instant, r.expr])).toEqual([
    ['A', 'prometheus', false, 'rate(x{job=~"(a|b)"}[1m])'],
    ['B', 'prometheus', false, 'y'],
    ['B', 'prometheus', true, 'y'],
    ['D', 'loki', false, 'count_over_time({a="b"}[10s])'],
    ['E', 'prometheus', false, 'rate(x[15s])'],
  ]);
  expect(requests[0]).toMatchObject({ stepMs: 15_000, legend: '{{job}} {a,b}' });
  expect(requests[3]).toMatchObject({ stepMs: 10_000, limit: 5 });
});

it('follows the range of the panel', () => {
  const range = plan(panel({ timeFrom: '10m', timeShift: '1h' }), environment).range;
  expect(range).toEqual({ from: 50 * 60_000 - 3_600_000, to: 0 });
  expect(writeText('$__from $unknown', environment)).toBe('0 $unknown');
});

it('makes one table of an instant answer', () => {
  const frames = toFrames(
    {
      resultType: 'vector',
      result: [
        { metric: { job: 'a', zone: 'x' }, value: [1, '5'] },
        { metric: { job: 'b' }, value: [1, '7'] },
      ],
    },
    {},
  );
  const [table] = toTable(frames, 'A', true);
  expect(table?.fields.map((f) => [f.name, f.values])).toEqual([
    ['Time', [1_000, 1_000]],
    ['job', ['a', 'b']],
    ['zone', ['x', null]],
    ['Value #A', [5, 7]],
  ]);
});

it('turns cumulative buckets into their own counts', () => {
  const of = panel({ type: 'heatmap', targets: [{ refId: 'A', expr: 'x', format: 'heatmap' }] });
  const [request] = plan(of, environment).requests;
  if (request === undefined) throw new Error('no request');
  const bucket = (le: string, value: string) => ({
    metric: { le },
    values: [[1, value]] as [number, string][],
  });
  const frames = toFrames(
    { resultType: 'matrix', result: [bucket('+Inf', '9'), bucket('1', '4'), bucket('5', '7')] },
    {},
  );
  const shaped = shape(of, [{ request, answer: { frames, notices: [], raw: undefined } }]);
  expect(shaped.map((f) => [f.fields[1]?.labels?.le, f.fields[1]?.values[0]])).toEqual([
    ['1', 4],
    ['5', 3],
    ['+Inf', 2],
  ]);
});

it('shows what stands for no value where there is no series, once there is an answer', () => {
  const answer = { frames: [], notices: [], raw: undefined };
  const shown = (type: string, noValue?: string) => {
    const own = panel({
      type,
      targets: [{ refId: 'A', expr: 'x' }],
      fieldConfig: { defaults: { noValue } },
    });
    const [request] = plan(own, environment).requests;
    if (request === undefined) throw new Error('not planned');
    return [shape(own, []).length, shape(own, [{ request, answer }]).length];
  };
  expect(shown('stat', '0')).toEqual([0, 1]);
  expect(shown('stat')).toEqual([0, 0]);
  expect(shown('timeseries', '0')).toEqual([0, 0]);
});
