import { expect, it } from 'vitest';
import { masked, problemIn } from './problem';

it('finds the word that PromQL names, counted in bytes', () => {
  const said = 'invalid parameter "query": 1:7: parse error: unknown function with name "foo"';
  expect(problemIn(said, '"ä" + foo(up)')).toEqual({
    from: 5,
    to: 6,
    message: 'unknown function with name "foo"',
  });
  expect(problemIn('2:1: parse error: no', 'sum(\nfoo)')).toMatchObject({ from: 5, to: 8 });
});

it('finds the place that LogQL names, and the last letter of what ends too early', () => {
  expect(problemIn('parse error at line 1, col 15: syntax error', 'rate({job="a"})')).toEqual({
    from: 14,
    to: 15,
    message: 'syntax error',
  });
  const zero = 'parse error at line 0, col 24: syntax error: unexpected RANGE';
  expect(problemIn(zero, 'rate({app="api"} | jsn [1m])')).toMatchObject({ from: 23, to: 24 });
  const cut = 'parse error at line 1, col 9: syntax error: unexpected $end';
  expect(problemIn(cut, '{job="a"')).toMatchObject({ from: 7, to: 8 });
});

it('knows no place where none is named', () => {
  expect(problemIn('queries require at least one matcher', '{}')).toBeUndefined();
  expect(problemIn('1:1: parse error: empty', '')).toMatchObject({ from: 0, to: 0 });
});

it('masks built-in variables at their length', () => {
  expect(masked('rate(x[$__rate_interval])')).toBe('rate(x[000000000000001m])');
  expect(masked('a[${__range}] + $job')).toBe('a[000000001m] + $job');
});
