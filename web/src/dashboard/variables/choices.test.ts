import { expect, it } from 'vitest';
import type { Variable } from '../schema/model';
import {
  ALL,
  chosen,
  customChoices,
  filterChoices,
  inOrder,
  intervalChoices,
  sortChoices,
  valuesOf,
} from './choices';
import { parseVariableQuery } from './query';

const variable = (more: Partial<Variable>): Variable => ({
  name: 'v',
  kind: 'query',
  label: 'v',
  hide: 'none',
  query: '',
  regex: '',
  sort: 0,
  multi: false,
  includeAll: false,
  refreshOnTime: false,
  source: { kind: 'prometheus' },
  choices: [],
  current: [],
  ...more,
});

const values = (choices: readonly { value: string }[]) => choices.map((c) => c.value);

it('filters by an expression, with its groups', () => {
  const found = ['up{job="a"}', 'up{job="b"}', 'up{job="a"}'];
  expect(values(filterChoices(found, '/job="([^"]+)"/'))).toEqual(['a', 'b']);
  expect(filterChoices(['1:one'], '/(?<value>\\d+):(?<text>\\w+)/')).toEqual([
    { value: '1', text: 'one' },
  ]);
  expect(values(filterChoices(['ax', 'b'], '^a'))).toEqual(['a']);
  expect(filterChoices(['a'], '/(/')).toEqual([]);
});

it('sorts in every order', () => {
  const choices = ['b10', 'a9', 'B2'].map((value) => ({ value, text: value }));
  const sorted = (sort: number) => values(sortChoices(choices, sort));
  expect(sorted(1)).toEqual(['B2', 'a9', 'b10']);
  expect(sorted(3)).toEqual(['B2', 'a9', 'b10']);
  expect(sorted(4)).toEqual(['b10', 'a9', 'B2']);
  expect(sorted(5)).toEqual(['a9', 'b10', 'B2']);
  expect(sorted(7)).toEqual(['a9', 'B2', 'b10']);
});

it('reads custom lists and intervals', () => {
  expect(customChoices('a, b\\,c , One : 1,')).toEqual([
    { value: 'a', text: 'a' },
    { value: 'b,c', text: 'b,c' },
    { value: '1', text: 'One' },
  ]);
  const auto = variable({
    kind: 'interval',
    name: 'i',
    query: '1m,5m',
    auto: { count: 30, min: '10s' },
  });
  expect(intervalChoices(auto, 3_600_000)[0]).toEqual({
    value: '$__auto_interval_i',
    text: 'auto (2m)',
  });
});

it('chooses by the address, then the file, then the first', () => {
  const choices = ['a', 'b'].map((value) => ({ value, text: value }));
  expect(chosen(variable({ current: ['b'] }), choices, [])).toEqual(['b']);
  expect(chosen(variable({ current: ['gone'] }), choices, [])).toEqual(['a']);
  expect(chosen(variable({ current: ['b'] }), choices, ['gone'])).toEqual(['gone']);
  expect(chosen(variable({ includeAll: true }), choices, [])).toEqual([ALL]);
  expect(chosen(variable({ multi: true, current: ['a', 'b'] }), choices, [])).toEqual(['a', 'b']);
  expect(chosen(variable({ kind: 'textbox', query: 'x' }), [], [])).toEqual(['x']);
  expect(valuesOf(variable({ includeAll: true, multi: true }), choices, [ALL])).toEqual(['a', 'b']);
  expect(valuesOf(variable({ allValue: '.*' }), choices, [ALL])).toBe('.*');
});

it('orders variables after those they refer to, circles included', () => {
  const names = inOrder([
    variable({ name: 'pod', query: 'label_values(x{ns="$ns"}, pod)' }),
    variable({
      name: 'ns',
      query: 'label_values(x, ns)',
      source: { kind: 'prometheus', uid: '${ds}' },
    }),
    variable({ name: 'ds', kind: 'datasource' }),
    variable({ name: 'a', query: '$b' }),
    variable({ name: 'b', query: '$a' }),
  ]).map((v) => v.name);
  expect(names).toEqual(['ds', 'ns', 'pod', 'b', 'a']);
});

it('reads the functions of query variables', () => {
  expect(parseVariableQuery('label_values(job)')).toEqual({ ask: 'values', label: 'job' });
  expect(parseVariableQuery('label_values(up{a="x,y",b=~"z"}, job)')).toEqual({
    ask: 'values',
    label: 'job',
    match: 'up{a="x,y",b=~"z"}',
  });
  expect(parseVariableQuery('label_names()')).toEqual({ ask: 'names' });
  expect(parseVariableQuery('metrics(node_.*)')).toEqual({ ask: 'metrics', pattern: 'node_.*' });
  expect(parseVariableQuery('query_result(topk(5, up))')).toEqual({
    ask: 'result',
    expr: 'topk(5, up)',
  });
  expect(parseVariableQuery('up{job="x"}')).toEqual({ ask: 'series', match: 'up{job="x"}' });
});
