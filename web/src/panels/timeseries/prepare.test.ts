import { expect, it } from 'vitest';
import { applyOptions } from '../../dashboard/fields/apply';
import type { FieldOptions, Override } from '../../dashboard/schema/model';
import { field, frame } from '../../frame/frame';
import { prepareTimeSeries } from './prepare';

const series = (job: string, times: number[], values: (number | null)[]) =>
  frame([field('Time', 'time', times), field('Value', 'number', values, { labels: { job } })]);

function prepare(defaults: FieldOptions, overrides: Override[] = []) {
  const frames = [series('a', [1_000, 2_000], [1, 3]), series('b', [2_000, 3_000], [10, null])];
  return prepareTimeSeries(applyOptions(frames, defaults, overrides));
}

it('gives all series one column of times, with gaps', () => {
  const view = prepare({});
  expect(view.times).toEqual([1, 2, 3]);
  expect(view.series.map((s) => [s.name, s.values])).toEqual([
    ['a', [1, 3, undefined]],
    ['b', [undefined, 10, null]],
  ]);
  expect(new Set(view.series.map((s) => s.color)).size).toBe(2);
});

it('cuts the line where points are missing, and only there', () => {
  const spaced = (times: number[]) =>
    frame([
      field('Time', 'time', times, { config: { step: 1_000 } }),
      field('Value', 'number', times, { labels: { job: String(times.length) } }),
    ]);
  const frames = [spaced([1_000, 2_000, 5_000]), spaced([1_000, 2_000, 3_000, 4_000, 5_000])];
  const view = prepareTimeSeries(applyOptions(frames, {}, []));
  expect(view.times).toEqual([1, 2, 3, 4, 5]);
  expect(view.series.map((s) => s.raw)).toEqual([
    [1_000, 2_000, null, undefined, 5_000],
    [1_000, 2_000, 3_000, 4_000, 5_000],
  ]);
});

it('has the next moment beside a point that is alone, so that its bar has a width', () => {
  const alone = frame([
    field('Time', 'time', [7_000], { config: { step: 1_000 } }),
    field('Value', 'number', [4]),
  ]);
  const view = prepareTimeSeries(applyOptions([alone], { custom: { drawStyle: 'bars' } }, []));
  expect([view.times, view.series[0]?.values]).toEqual([
    [7, 8],
    [4, null],
  ]);
});

it('stacks from below, and keeps what was measured', () => {
  const view = prepare({ custom: { stacking: { mode: 'normal', group: 'A' } } });
  expect(view.series.map((s) => s.values)).toEqual([
    [1, 3, 0],
    [1, 13, 0],
  ]);
  expect(view.series[1]).toMatchObject({ above: 0, raw: [undefined, 10, null] });
});

it('draws a bar that stands alone no wider than the others', () => {
  const frames = [series('info', [1_000, 2_000, 3_000], [1, 2, 3]), series('warn', [2_000], [7])];
  const custom = { drawStyle: 'bars', stacking: { mode: 'normal', group: 'A' } };
  const view = prepareTimeSeries(applyOptions(frames, { custom }, []));
  // Nothing here is undefined, which the chart passes over when it measures their distance.
  expect(view.series.map((s) => s.values)).toEqual([
    [1, 2, 3],
    [null, 9, null],
  ]);
});

it('stacks what lies below zero apart, and groups apart from each other', () => {
  const times = [1_000, 2_000];
  const frames = [
    series('total', times, [9, 9]),
    series('used', times, [4, 5]),
    series('free', times, [5, 4]),
    series('sent', times, [-1, -2]),
    series('lost', times, [-3, 0]),
  ];
  const apart: Override = {
    matcher: { id: 'byName', options: 'total' },
    properties: [{ id: 'custom.stacking', value: { group: false, mode: 'normal' } }],
  };
  const custom = { stacking: { mode: 'normal', group: 'A' } };
  const view = prepareTimeSeries(applyOptions(frames, { custom }, [apart]));
  expect(view.series.map((s) => s.values)).toEqual([
    [9, 9],
    [4, 5],
    [9, 9],
    [-1, -2],
    [-4, -2],
  ]);
});

it('stacks to one hundred percent', () => {
  const view = prepare({ custom: { stacking: { mode: 'percent' } } });
  expect(view.series.map((s) => s.values[1])).toEqual([3 / 13, 1]);
});

it('puts a second unit on the right, and shares a scale within a unit', () => {
  const right: Override = {
    matcher: { id: 'byName', options: 'b' },
    properties: [{ id: 'unit', value: 'percent' }],
  };
  expect(prepare({ unit: 's' }).scales.map((s) => [s.key, s.side])).toEqual([['s/left', 'left']]);
  expect(prepare({ unit: 's' }, [right]).scales.map((s) => [s.key, s.side])).toEqual([
    ['s/left', 'left'],
    ['percent/left', 'right'],
  ]);
});

it('turns a series upside down', () => {
  const down: Override = {
    matcher: { id: 'byName', options: 'a' },
    properties: [{ id: 'custom.transform', value: 'negative-Y' }],
  };
  expect(prepare({}, [down]).series[0]?.values).toEqual([-1, -3, undefined]);
});

it('takes the colour of the last value when colours follow values', () => {
  const steps = [
    { value: Number.NEGATIVE_INFINITY, color: 'green' },
    { value: 2, color: 'red' },
  ];
  const view = prepare({ color: { mode: 'thresholds' }, thresholds: { mode: 'absolute', steps } });
  expect(view.series[0]?.color).toBe('#F2495C');
});
