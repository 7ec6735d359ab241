import { expect, it } from 'vitest';
import { field, frame } from '../../frame/frame';
import { schemeColor, withAlpha } from '../../lib/color';
import type { FieldOptions, Mapping } from '../schema/model';
import { applyOptions, optionsOf } from './apply';
import { displayOf, mappingOf, thresholdColor } from './display';
import { CALCULATIONS, reduceValues } from './reduce';

it('reduces columns by every calculation', () => {
  const values = [1, null, 4, Number.NaN, 2, null];
  const rows: [string, unknown][] = [
    ['lastNotNull', 2],
    ['last', null],
    ['first', 1],
    ['min', 1],
    ['max', 4],
    ['mean', 7 / 3],
    ['median', 2],
    ['sum', 7],
    ['count', 6],
    ['range', 3],
    ['delta', 5],
    ['diff', 1],
    ['diffperc', 1],
    ['distinctCount', 3],
    ['p95', 4],
    ['unheard', null],
  ];
  for (const [id, want] of rows) expect(reduceValues(values, id), id).toEqual(want);
  for (const [id, { of }] of Object.entries(CALCULATIONS)) expect(() => of([]), id).not.toThrow();
});

it('applies overrides in order, by name, pattern, type and query', () => {
  const frames = [
    frame([field('Time', 'time', [1]), field('Value', 'number', [5], { labels: { job: 'api' } })], {
      refId: 'A',
    }),
    frame([field('Value', 'number', [50], { labels: { job: 'db' } })], { refId: 'B' }),
  ];
  const defaults: FieldOptions = { unit: 's', custom: { lineWidth: 1, fillOpacity: 10 } };
  const applied = applyOptions(frames, defaults, [
    {
      matcher: { id: 'byRegexp', options: '/^a/' },
      properties: [
        { id: 'unit', value: 'ms' },
        { id: 'custom.lineWidth', value: 3 },
      ],
    },
    {
      matcher: { id: 'byFrameRefID', options: 'B' },
      properties: [{ id: 'displayName', value: 'base' }],
    },
    {
      matcher: { id: 'byValue', options: { reducer: 'max', op: 'gte', value: 50 } },
      properties: [{ id: 'decimals', value: 0 }],
    },
    {
      matcher: { id: 'byType', options: 'time' },
      properties: [{ id: 'unit', value: 'dateTimeAsIso' }],
    },
  ]);
  const [time, api] = applied[0]?.fields ?? [];
  const [db] = applied[1]?.fields ?? [];
  expect(time?.config.unit).toBe('dateTimeAsIso');
  expect(api?.config).toMatchObject({ unit: 'ms', custom: { lineWidth: 3, fillOpacity: 10 } });
  expect(db?.config).toMatchObject({ unit: 's', displayName: 'base', decimals: 0 });
  expect(db === undefined ? {} : optionsOf(db)).toMatchObject({ decimals: 0 });
});

it('maps values, ranges, patterns and specials', () => {
  const mappings: Mapping[] = [
    { type: 'value', options: { '1': { text: 'UP', color: 'green' } } },
    { type: 'range', from: 5, to: null, result: { text: 'many' } },
    { type: 'regex', pattern: '/^v(.*)$/', result: { text: 'version $1' } },
    { type: 'special', match: 'null+nan', result: { text: 'nothing' } },
  ];
  const text = (value: unknown) => mappingOf(value, mappings)?.text;
  expect([1, '1', 7, 'v2', null, Number.NaN, 3].map(text)).toEqual([
    'UP',
    'UP',
    'many',
    'version 2',
    'nothing',
    'nothing',
    undefined,
  ]);
});

it('colours by thresholds, absolute and in percent', () => {
  const steps = [
    { value: Number.NEGATIVE_INFINITY, color: 'green' },
    { value: 80, color: 'red' },
  ];
  expect(thresholdColor(79, 0.1, { mode: 'absolute', steps })).toBe('#73BF69');
  expect(thresholdColor(80, 0.1, { mode: 'absolute', steps })).toBe('#F2495C');
  expect(thresholdColor(8, 0.9, { mode: 'percentage', steps })).toBe('#F2495C');
  expect(schemeColor('continuous-GrYlRd', 0)).toBe('rgb(115, 191, 105)');
  expect(schemeColor('continuous-GrYlRd', 2)).toBe('rgb(242, 73, 92)');
  expect(withAlpha('red', 0.5)).toBe('rgba(242, 73, 92, 0.5)');
});

it('shows a value with unit, share and colour', () => {
  const [applied] = applyOptions(
    [frame([field('Value', 'number', [0, 50, null])])],
    {
      unit: 'percent',
      noValue: 'n/a',
      color: { mode: 'thresholds' },
      thresholds: { mode: 'absolute', steps: [{ value: Number.NEGATIVE_INFINITY, color: 'blue' }] },
    },
    [],
  );
  const of = applied?.fields[0];
  if (of === undefined) throw new Error('no field');
  const display = displayOf(of);
  expect(display(50)).toMatchObject({ text: '50%', share: 0.5, color: '#5794F2' });
  expect(display(null).text).toBe('n/a');
});

it('lets nothing but colours into a style', () => {
  const [applied] = applyOptions(
    [frame([field('Value', 'number', [1])])],
    { color: { mode: 'fixed', fixedColor: 'red;background:url(x)' } },
    [],
  );
  const of = applied?.fields[0];
  expect(of === undefined ? '' : displayOf(of)(1).color).toBe('#8E8E8E');
});
