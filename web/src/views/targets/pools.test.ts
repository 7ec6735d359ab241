import { expect, it } from 'vitest';
import type { ActiveTarget } from '../../api/generated';
import { poolsOf } from './pools';

const target = (
  scrapePool: string,
  instance: string,
  health: ActiveTarget['health'],
): ActiveTarget => ({
  scrapePool,
  health,
  labels: { instance },
  discoveredLabels: {},
  scrapeUrl: `http://${instance}/metrics`,
  globalUrl: '',
  lastError: health === 'down' ? 'connection refused' : '',
  lastScrape: '',
  lastScrapeDuration: 0,
  scrapeInterval: '15s',
  scrapeTimeout: '10s',
});
const all = [target('a', 'x:1', 'up'), target('b', 'y:1', 'up'), target('b', 'z:1', 'down')];

it('puts what fails in front', () => {
  expect(poolsOf(all, '').map((p) => [p.name, p.up, p.targets[0]?.labels.instance])).toEqual([
    ['b', 1, 'z:1'],
    ['a', 1, 'x:1'],
  ]);
});

it('searches labels, addresses and errors', () => {
  expect(poolsOf(all, 'REFUSED').map((p) => p.targets.length)).toEqual([1]);
  expect(poolsOf(all, 'instance=x').map((p) => p.name)).toEqual(['a']);
  expect(poolsOf(all, 'nothing')).toEqual([]);
});
