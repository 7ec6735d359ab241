import { expect, it } from 'vitest';
import type { Labels } from '../frame/frame';
import {
  counterpart,
  gathered,
  isRequestId,
  linesOfRequest,
  logsOf,
  metricsOf,
  selectors,
} from './related';

const world = (all: Record<string, readonly string[]>) => ({
  names: async () => Object.keys(all),
  values: async (name: string) => all[name] ?? [],
});
const LOGS = world({ service_name: ['api', 'web'], namespace: ['shop'], pod: ['api-0'] });

it('finds the selectors in the tree of an expression', () => {
  const matchers = [
    { name: '__name__', type: '=', value: 'a' },
    { name: 'job', type: '!~', value: 'x"y' },
  ];
  const tree = {
    type: 'binaryExpr',
    lhs: { type: 'call', args: [{ type: 'matrixSelector', name: 'a', matchers }] },
    rhs: { type: 'numberLiteral', val: '1' },
  };
  expect(selectors(tree)).toEqual(['{__name__="a", job!~"x\\"y"}']);
  expect(selectors({ type: 'vectorSelector', matchers: [{ name: 1 }] })).toEqual([]);
  expect(selectors(null)).toEqual([]);
});

it('gathers the labels that all series have', () => {
  expect(
    gathered([
      { a: '1', b: '2', c: '3' },
      { a: '1', b: '3' },
    ]),
  ).toEqual({ a: ['1'], b: ['2', '3'] });
  expect(gathered([])).toEqual({});
  expect(gathered(Array.from({ length: 21 }, (_, at) => ({ a: String(at) })))).toEqual({});
});

it('finds the same thing under its names in the other world', async () => {
  const of = (...labels: readonly Labels[]) => counterpart(gathered(labels), LOGS);
  expect(await of({ job: 'api', namespace: 'shop', le: '1', instance: 'h:1' })).toEqual({
    namespace: ['shop'],
    service_name: ['api'],
  });
  expect(await of({ pod: 'api-0', namespace: 'other' })).toEqual({ pod: ['api-0'] });
  expect(await of({ job: 'api' }, { job: 'db' }, { job: 'web' })).toEqual({
    service_name: ['api', 'web'],
  });
  expect(await of({ job: 'unknown' })).toEqual({});
});

it('writes expressions of either kind', () => {
  expect(logsOf({ a: ['b'], c: ['d.e', 'f'] })).toBe('{a="b", c=~"d\\\\.e|f"}');
  expect(logsOf({})).toBe('{service_name=~".+"}');
  expect(metricsOf({ job: ['api'] }, ['up', 'http_requests_total'])).toBe(
    'sum by (status, code, status_code) (rate(http_requests_total{job="api"}[$__rate_interval]))',
  );
  expect(metricsOf({ job: ['api'] }, ['up'])).toBe('up{job="api"}');
});

it('knows ids of requests, and asks for all their lines', () => {
  expect(['request_id', 'traceID', 'x-request-id'].every(isRequestId)).toBe(true);
  expect(['id', 'request', 'user_id'].some(isRequestId)).toBe(false);
  expect(linesOfRequest({ namespace: 'shop', pod: 'a' }, 'x"y')).toBe(
    '{namespace=~".+"} |= "x\\"y"',
  );
});
