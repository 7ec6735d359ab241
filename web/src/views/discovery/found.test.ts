import { expect, it } from 'vitest';
import type { Discovered, Target } from '../../api/status';
import { jobsOf, ruleText } from './found';

const target = (scrapePool: string, instance: string): Target => ({
  scrapePool,
  health: 'up',
  labels: { instance },
  discoveredLabels: { __address__: instance },
  scrapeUrl: `http://${instance}/metrics`,
  lastError: '',
  lastScrape: '',
  lastScrapeDuration: 0,
  scrapeInterval: '15s',
});
const ALL: Discovered = {
  active: [target('a', 'x:1'), target('b', 'y:1')],
  dropped: [{ scrapePool: 'b', discoveredLabels: { __address__: 'z:1' } }],
  droppedCounts: { a: 0, b: 7, empty: 0 },
};

it('counts what was kept and what was left out, by job', () => {
  expect(jobsOf(ALL, '', '').map((j) => [j.name, j.kept, j.dropped, j.found.length])).toEqual([
    ['a', 1, 0, 1],
    ['b', 1, 7, 2],
    ['empty', 0, 0, 0],
  ]);
});

it('searches labels before and after, and shows only one kind', () => {
  expect(jobsOf(ALL, 'Z:1', '').map((j) => j.name)).toEqual(['b']);
  expect(jobsOf(ALL, '', 'dropped')[0]?.found[0]?.after).toBeUndefined();
  expect(jobsOf(ALL, '', 'kept').map((j) => j.found.length)).toEqual([1, 1]);
});

it('writes a rule in one line', () => {
  expect(
    ruleText({
      action: 'drop',
      source_labels: ['__address__'],
      regex: 'z.*',
      replacement: '$1',
      separator: ';',
    }),
  ).toBe('drop of __address__ by z.*');
  expect(ruleText({ target_label: 'x', replacement: 'y' })).toBe('replace to x as y');
});
