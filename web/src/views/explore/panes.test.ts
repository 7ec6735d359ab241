import { expect, it } from 'vitest';
import { exploreUrl } from '../../lib/explore-url';
import { panesUrl, readPanes } from './panes';

const read = (address: string) => {
  const url = new URL(address, 'http://x');
  return { panes: readPanes(url.pathname.split('/')[2], url.searchParams), url };
};

it('reads two panes from an address and writes the same address', () => {
  const address =
    '/explore/metrics?from=now-1h&expr=up&expr=&show=table&split=logs&expr2=%7Ba%3D%22b%22%7D&show2=live';
  const { panes, url } = read(address);
  expect(panes).toEqual({
    left: { kind: 'metrics', exprs: ['up', ''], show: 'table' },
    right: { kind: 'logs', exprs: ['{a="b"}'], show: 'live' },
  });
  expect(panesUrl(panes, url.searchParams)).toBe(address);
});

it('takes an address without anything, and one that is not meant', () => {
  expect(read('/explore/logs').panes).toEqual({
    left: { kind: 'logs', exprs: [''], show: '' },
    right: undefined,
  });
  expect(read('/explore/x?split=y').panes.right?.kind).toBe('metrics');
  expect(read('/explore/logs?expr=a&expr=b').panes.left.exprs).toEqual(['a']);
});

it('is reached from elsewhere', () => {
  const { panes, url } = read(exploreUrl({ kind: 'logs', exprs: ['{a="b"}'], from: 1, to: 2 }));
  expect(panes.left.exprs).toEqual(['{a="b"}']);
  expect(url.searchParams.get('to')).toBe('2');
});
