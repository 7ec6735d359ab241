import { expect, it } from 'vitest';
import type { ActiveTarget, Resource, ResourceState, Targets } from '../../api/generated';
import { jobsOf, resourcesOf, ruleText } from './found';

const target = (scrapePool: string, instance: string): ActiveTarget => ({
  scrapePool,
  health: 'up',
  labels: { instance },
  discoveredLabels: { __address__: instance },
  scrapeUrl: `http://${instance}/metrics`,
  globalUrl: '',
  lastError: '',
  lastScrape: '',
  lastScrapeDuration: 0,
  scrapeInterval: '15s',
  scrapeTimeout: '10s',
});
const ALL: Targets = {
  activeTargets: [target('a', 'x:1'), target('b', 'y:1')],
  droppedTargets: [{ scrapePool: 'b', discoveredLabels: { __address__: 'z:1' } }],
  droppedTargetCounts: { a: 0, b: 7 },
};
const POOLS = [{ name: 'empty', active: 0, dropped: 0, reason: 'nothing was found' }];

it('counts what was kept and what was left out, by job', () => {
  expect(
    jobsOf(ALL, POOLS, '', '').map((j) => [j.name, j.kept, j.dropped, j.found.length]),
  ).toEqual([
    ['a', 1, 0, 1],
    ['b', 1, 7, 2],
    ['empty', 0, 0, 0],
  ]);
  expect(jobsOf(ALL, POOLS, '', '').map((j) => j.reason)).toEqual(['', '', 'nothing was found']);
});

it('searches labels before and after, and shows only one kind', () => {
  expect(jobsOf(ALL, POOLS, 'Z:1', '').map((j) => j.name)).toEqual(['b']);
  expect(jobsOf(ALL, POOLS, '', 'dropped')[0]?.found[0]?.after).toBeUndefined();
  expect(jobsOf(ALL, POOLS, '', 'kept').map((j) => j.found.length)).toEqual([1, 1]);
});

it('puts resources of which nothing is scraped in front', () => {
  const resource = (name: string, state: ResourceState, reason = ''): Resource => ({
    kind: 'ServiceMonitor',
    namespace: 'shop',
    name,
    state,
    reason,
    pools: [`serviceMonitor/shop/${name}/0`],
  });
  const all = [
    resource('b', 'scraped'),
    resource('a', 'scraped'),
    resource('rules', 'taken'),
    resource('wrong', 'empty', 'keep port =~ "no-such-port"'),
    resource('bad', 'rejected', 'no key'),
  ];
  const names = (search: string) => resourcesOf(all, search).map((one) => one.name);
  expect(names('')).toEqual(['bad', 'wrong', 'a', 'b', 'rules']);
  expect(names('No-Such-Port')).toEqual(['wrong']);
  expect(names('shop/a')).toEqual(['a']);
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
