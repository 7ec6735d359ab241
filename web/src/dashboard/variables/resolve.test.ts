import { expect, it } from 'vitest';
import type { Variable } from '../schema/model';
import { readVariable } from '../schema/variable';
import { resolveVariables, valuesIn } from './resolve';

const context = { report: () => {}, sources: { inputs: new Map(), variables: new Map() } };
const variables = (...of: object[]): Variable[] =>
  of.flatMap((v) => readVariable({ ...v }, context) ?? []);

it('asks a variable with the values of those it refers to', async () => {
  const asked: string[] = [];
  const states = await resolveVariables(
    variables(
      {
        type: 'query',
        name: 'pod',
        query: 'label_values(up{ns=~"$ns"}, pod)',
        multi: true,
        includeAll: true,
      },
      { type: 'query', name: 'ns', query: 'label_values(up, ns)' },
      { type: 'datasource', name: 'ds', query: 'prometheus' },
      { type: 'interval', name: 'i', query: '1m,5m', current: { value: '5m' } },
    ),
    (name) => (name === 'ns' ? ['b'] : []),
    3_600_000,
    async (_, query) => {
      asked.push(query);
      return query.includes('ns=') ? ['p1', 'p2'] : ['a', 'b'];
    },
  );
  expect(asked).toEqual(['label_values(up, ns)', 'label_values(up{ns=~"b"}, pod)']);
  const values = valuesIn(states);
  expect(values('ns')).toEqual({ value: 'b', text: ['b'], chosen: ['b'] });
  expect(values('pod')).toEqual({ value: ['p1', 'p2'], text: ['All'], chosen: ['$__all'] });
  expect(values('ds')).toEqual({
    value: 'prometheus',
    text: ['Prometheus'],
    chosen: ['prometheus'],
  });
  expect(values('i')?.value).toBe('5m');
  expect(values('none')).toBeUndefined();
});

it('keeps the words of a refusal, and the other variables', async () => {
  const states = await resolveVariables(
    variables(
      { type: 'query', name: 'x', query: 'label_values(' },
      { type: 'textbox', name: 't', query: 'hi' },
    ),
    () => [],
    1,
    () => Promise.reject(new Error('parse error')),
  );
  expect(states.map((s) => [s.error, s.current])).toEqual([
    ['parse error', []],
    [undefined, ['hi']],
  ]);
});
