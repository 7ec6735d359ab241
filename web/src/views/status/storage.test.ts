import { expect, it } from 'vitest';
import { storesOf } from './storage';

it('adds up what each store has, and says for how long', () => {
  const gauge = (name: string, value: number) => ({
    name,
    type: 'GAUGE',
    metric: [{ gauge: { value } }],
  });
  const [metrics, logs] = storesOf(
    [
      gauge('masthead_tsdb_block_bytes', 100),
      gauge('masthead_tsdb_journal_bytes', 20),
      gauge('masthead_logs_journal_bytes', 7),
    ],
    { 'storage.retention.time': '1296000s', 'storage.retention.size': '0' },
  );
  expect(metrics).toMatchObject({ bytes: 120, time: '2w1d', size: 'no limit' });
  expect(metrics?.parts.map((p) => p.name)).toEqual(['blocks', 'journal']);
  expect(logs).toMatchObject({ bytes: 7, time: 'unknown' });
});
