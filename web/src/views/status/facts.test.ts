import { expect, it } from 'vitest';
import type { RuntimeInfo } from '../../api/generated';
import { buildFacts, plainly, runFacts } from './facts';

const run: RuntimeInfo = {
  startTime: '2026-09-01T00:00:00Z',
  CWD: '/data',
  hostname: 'vm',
  serverTime: '2026-09-01T01:00:00Z',
  reloadConfigSuccess: true,
  lastConfigTime: '2026-09-01T00:30:00Z',
  corruptionCount: 0,
  goroutineCount: 20,
  GOMAXPROCS: 2,
  GOMEMLIMIT: 0,
  GOGC: '',
  GODEBUG: '',
  storageRetention: '15d',
};

it('says what runs and since when', () => {
  expect(runFacts(run)).toMatchObject({
    Started: '2026-09-01T00:00:00Z',
    'Processor cores': '2',
    Configuration: 'loaded at 2026-09-01T00:30:00Z',
  });
  expect(runFacts({ ...run, reloadConfigSuccess: false }).Configuration).toBe(
    'the last reload failed; in force is what was loaded at 2026-09-01T00:30:00Z',
  );
  expect(runFacts({ ...run, lastConfigTime: '0001-01-01T00:00:00Z' }).Configuration).toBe('loaded');
});

it('tells its own version from the one that its API has', () => {
  const build = {
    version: '3.14.0',
    revision: '',
    branch: '',
    buildUser: '',
    buildDate: '',
    goVersion: 'rustc 1.96',
    mastheadVersion: '0.1.0',
  };
  expect(buildFacts(build)).toMatchObject({ Version: '0.1.0', 'Answers as Prometheus': '3.14.0' });
});

it('says plainly what flags of many seconds or bytes are', () => {
  const f = (name: string, value: string, want: string | undefined) =>
    expect([name, value, plainly(name, value)]).toEqual([name, value, want]);
  f('logs.max-age', '604800s', '1w');
  f('storage.out-of-order-window', '1800s', '30m');
  f('query.timeout', '30s', undefined);
  f('storage.sync-interval', '0.2s', undefined);
  f('web.max-body-size', '16777216', '16 MiB');
  f('logs.query.max-label-bytes', '268435456', '256 MiB');
  f('logs.retention.size', '0', undefined);
  f('storage.max-series', '20000000', undefined);
});
