import { expect, it } from 'vitest';
import { displayName, type Field, type Frame, field, frame } from '../../frame/frame';
import type { Json } from '../../lib/json';
import { FEATURES } from '../schema/features';
import { TRANSFORM_IDS, transform } from './transform';

const series = (
  refId: string,
  labels: Record<string, string>,
  times: number[],
  values: unknown[],
): Frame =>
  frame([field('Time', 'time', times), field('Value', 'number', values, { labels })], { refId });

/** A frame as rows of named cells, to compare with. */
function table(f: Frame | undefined, all: readonly Frame[] = []): unknown[] {
  if (f === undefined) return [];
  const name = (x: Field) => displayName(x, all);
  return Array.from({ length: f.length }, (_, row) =>
    Object.fromEntries(f.fields.map((x) => [name(x), x.values[row]])),
  );
}

function run(frames: readonly Frame[], id: string, options: Json = {}): readonly Frame[] {
  return transform(frames, [{ id, options }]);
}

const a = series('A', { job: 'api' }, [1, 2, 3], [10, 20, 30]);
const b = series('B', { job: 'db' }, [2, 3, 4], [200, 300, 400]);

it('carries out exactly what the reader of dashboards lets through', () => {
  expect([...TRANSFORM_IDS].sort()).toEqual(Object.keys(FEATURES.transformations).sort());
  for (const id of TRANSFORM_IDS) expect(() => run([], id), id).not.toThrow();
  for (const id of TRANSFORM_IDS) expect(() => run([a, b], id), id).not.toThrow();
});

it('joins by time, outer and inner', () => {
  expect(table(run([a, b], 'joinByField')[0])).toEqual([
    { Time: 1, api: 10, db: null },
    { Time: 2, api: 20, db: 200 },
    { Time: 3, api: 30, db: 300 },
    { Time: 4, api: null, db: 400 },
  ]);
  expect(table(run([a, b], 'joinByField', { mode: 'inner' })[0])).toHaveLength(2);
});

it('joins tables whose rows repeat a key: every pair, and what stands alone', () => {
  const pods = frame([
    field('node', 'string', ['n1', 'n1', 'n2', null]),
    field('pod', 'string', ['p', 'q', 'r', 's']),
  ]);
  const disks = frame([
    field('node', 'string', ['n1', 'n3', 'n1']),
    field('disk', 'string', ['a', 'b', 'c']),
  ]);
  const pairs = [
    { node: 'n1', pod: 'p', disk: 'a' },
    { node: 'n1', pod: 'p', disk: 'c' },
    { node: 'n1', pod: 'q', disk: 'a' },
    { node: 'n1', pod: 'q', disk: 'c' },
  ];
  const joined = (mode: string) =>
    table(run([pods, disks], 'joinByField', { byField: 'node', mode })[0]);
  expect(joined('inner')).toEqual(pairs);
  expect(joined('outerTabular')).toEqual([
    ...pairs,
    { node: 'n2', pod: 'r', disk: null },
    { node: null, pod: 's', disk: null },
    { node: 'n3', pod: null, disk: 'b' },
  ]);
  // A third table joins what the first two gave, also by a key that only the second had.
  const third = frame([field('node', 'string', ['n3']), field('rack', 'number', [7])]);
  const all = run([pods, disks, third], 'joinByField', {
    byField: 'node',
    mode: 'outerTabular',
  })[0];
  expect(table(all)[0]).toEqual({ node: 'n3', pod: null, disk: 'b', rack: 7 });
  const many = Array.from({ length: 1_000 }, () => 'same');
  const wide = frame([field('node', 'string', many), field('x', 'string', many)]);
  const most = run([wide, wide], 'joinByField', { byField: 'node', mode: 'inner' })[0];
  expect(most?.length).toBe(100_000);
});

it('tells columns of one name apart by a number, as boards hide and rename them', () => {
  const instant = (name: string, value: number) =>
    frame([
      field('Time', 'time', [1]),
      field('instance', 'string', ['vm']),
      field(name, 'number', [value]),
    ]);
  const joined = run([instant('Value #A', 5), instant('Value #B', 7)], 'joinByField', {
    byField: 'instance',
  });
  const [shown] = run(joined, 'organize', {
    excludeByName: { 'Time 1': true },
    renameByName: { 'Time 2': 'At', 'Value #B': 'Memory' },
  });
  expect(table(shown)).toEqual([{ instance: 'vm', 'Value #A': 5, At: 1, Memory: 7 }]);
});

it('spreads labels into columns and merges into one table', () => {
  const [joined] = run(
    [series('A', { job: 'api', zone: 'x' }, [1], [5]), series('A', { job: 'db' }, [1], [7])],
    'labelsToFields',
  );
  expect(table(joined)).toEqual([
    { Time: 1, job: 'api', zone: 'x', Value: 5 },
    { Time: 1, job: 'db', zone: null, Value: 7 },
  ]);
  const [rows] = run([a], 'labelsToFields', { mode: 'rows' });
  expect(table(rows)).toEqual([{ label: 'job', value: 'api' }]);
});

it('merges tables of instant queries on the columns they share', () => {
  const cpu = frame([field('pod', 'string', ['p', 'q']), field('Value #A', 'number', [1, 2])]);
  const memory = frame([field('pod', 'string', ['q', 'r']), field('Value #B', 'number', [20, 30])]);
  expect(table(run([cpu, memory], 'merge')[0])).toEqual([
    { pod: 'p', 'Value #A': 1, 'Value #B': null },
    { pod: 'q', 'Value #A': 2, 'Value #B': 20 },
    { pod: 'r', 'Value #A': null, 'Value #B': 30 },
  ]);
});

it('hides, orders and renames columns', () => {
  const f = frame([
    field('a', 'number', [1]),
    field('b', 'number', [2]),
    field('c', 'number', [3]),
  ]);
  const [organized] = run([f], 'organize', {
    excludeByName: { a: true },
    indexByName: { c: 0, b: 1 },
    renameByName: { b: 'B!' },
  });
  expect(Object.keys(table(organized)[0] as object)).toEqual(['c', 'B!']);
  expect(
    Object.keys(
      table(run([f], 'renameByRegex', { regex: '(.)', renamePattern: 'x-$1' })[0])[0] as object,
    ),
  ).toEqual(['x-a', 'x-b', 'x-c']);
});

it('reduces series to rows and fields to one value', () => {
  expect(table(run([a, b], 'reduce', { reducers: ['max', 'mean'] })[0])).toEqual([
    { Field: 'api', Max: 30, Mean: 20 },
    { Field: 'db', Max: 400, Mean: 300 },
  ]);
  expect(
    run([a], 'reduce', { mode: 'reduceFields', reducers: ['sum'] })[0]?.fields[0]?.values,
  ).toEqual([60]);
});

it('groups rows', () => {
  const f = frame([field('k', 'string', ['x', 'y', 'x']), field('v', 'number', [1, 2, 3])]);
  const fields = {
    k: { operation: 'groupby' },
    v: { operation: 'aggregate', aggregations: ['sum', 'lastNotNull'] },
  };
  expect(table(run([f], 'groupBy', { fields })[0])).toEqual([
    { k: 'x', 'v (sum)': 4, 'v (lastNotNull)': 3 },
    { k: 'y', 'v (sum)': 2, 'v (lastNotNull)': 2 },
  ]);
});

it('sorts, with empty cells last, and limits', () => {
  const f = frame([field('v', 'number', [2, null, 10])]);
  expect(run([f], 'sortBy', { sort: [{ field: 'v', desc: true }] })[0]?.fields[0]?.values).toEqual([
    10,
    2,
    null,
  ]);
  expect(run([f], 'limit', { limitField: 2 })[0]?.length).toBe(2);
});

it('calculates columns', () => {
  const f = frame([field('a', 'number', [6, null]), field('b', 'number', [3, 1])]);
  const last = (options: Json) => run([f], 'calculateField', options)[0]?.fields.at(-1);
  expect(last({ mode: 'binary', binary: { left: 'a', operator: '/', right: 'b' } })).toMatchObject({
    name: 'a / b',
    values: [2, null],
  });
  expect(
    last({
      mode: 'binary',
      alias: 'twice',
      binary: {
        left: { matcher: { id: 'byName', options: 'b' } },
        operator: '*',
        right: { fixed: '2' },
      },
    }),
  ).toMatchObject({ name: 'twice', values: [6, 2] });
  expect(last({ reduce: { reducer: 'sum' } })).toMatchObject({ name: 'Total', values: [9, 1] });
  expect(last({ mode: 'index' })).toMatchObject({ name: 'Row', values: [0, 1] });
});

it('filters columns, rows and frames', () => {
  const f = frame([field('a', 'number', [1, 5]), field('b', 'string', ['x', 'y'])]);
  expect(run([f], 'filterFieldsByName', { include: { pattern: '/^b/' } })[0]?.fields).toHaveLength(
    1,
  );
  expect(run([f], 'filterFieldsByName', { exclude: { names: ['b'] } })[0]?.fields[0]?.name).toBe(
    'a',
  );
  const filters = [{ fieldName: 'a', config: { id: 'greater', options: { value: 2 } } }];
  expect(table(run([f], 'filterByValue', { type: 'include', match: 'any', filters })[0])).toEqual([
    { a: 5, b: 'y' },
  ]);
  expect(table(run([f], 'filterByValue', { type: 'exclude', match: 'any', filters })[0])).toEqual([
    { a: 1, b: 'x' },
  ]);
  expect(run([a, b], 'filterByRefId', { include: 'B' })).toEqual([b]);
});

it('takes options from the answer of another query', () => {
  const config = frame([field('max', 'number', [100])], { refId: 'C' });
  const [only] = run([a, config], 'configFromData', { configRefId: 'C' });
  expect(only?.fields[1]?.config).toMatchObject({ max: 100 });
});

it('extracts columns from JSON and pairs', () => {
  const f = frame([field('line', 'string', ['{"a":1,"b":{"c":"x"}}', 'a=2 q="w w"'])]);
  expect(table(run([f], 'extractFields', { source: 'line', replace: true })[0])).toEqual([
    { a: 1, b: '{"c":"x"}', q: null },
    { a: '2', b: null, q: 'w w' },
  ]);
  expect(
    table(
      run([f], 'extractFields', {
        source: 'line',
        replace: true,
        jsonPaths: [{ path: 'b.c', alias: 'deep' }],
      })[0],
    )[0],
  ).toEqual({ deep: 'x' });
});

it('applies a filtered transformation to its query alone', () => {
  const only = transform([a, b], [{ id: 'limit', options: { limitField: 1 }, filter: 'A' }]);
  expect(only.map((f) => [f.refId, f.length])).toEqual([
    ['A', 1],
    ['B', 3],
  ]);
});
