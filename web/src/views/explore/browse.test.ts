import { expect, it } from 'vitest';
import { describe as describeMetrics, searched, suggestions } from './browse';

const META = {
  up: [{ type: 'gauge', help: 'Whether it answers', unit: '' }],
  took_seconds: [{ type: 'histogram', help: 'How long it took', unit: 's' }],
  requests_total: [{ type: 'counter', help: 'Requests, up to now', unit: '' }],
};
const ALL = describeMetrics(
  ['up', 'took_seconds_bucket', 'took_seconds_sum', 'requests_total', 'odd'],
  META,
);

it('gives the parts of a histogram the words of the whole', () => {
  expect(ALL.map((m) => m.type)).toEqual(['gauge', 'histogram', 'counter', 'counter', 'unknown']);
  expect(ALL[2]?.help).toBe('How long it took');
});

it('searches names and words, names first', () => {
  expect(searched(ALL, 'UP', '').map((m) => m.name)).toEqual(['up', 'requests_total']);
  expect(searched(ALL, 'took sum', '').map((m) => m.name)).toEqual(['took_seconds_sum']);
  expect(searched(ALL, '', 'counter').length).toBe(2);
});

it('writes what is usual for the type', () => {
  const [up, bucket, , requests] = ALL;
  if (up === undefined || bucket === undefined || requests === undefined) throw new Error('BUG');
  expect(suggestions(up, { job: 'a' })[0]).toBe('up{job="a"}');
  expect(suggestions(bucket, {})[0]).toBe(
    'histogram_quantile(0.95, sum by (le) (rate(took_seconds_bucket[$__rate_interval])))',
  );
  expect(suggestions(requests, {})[0]).toBe('sum(rate(requests_total[$__rate_interval]))');
});
