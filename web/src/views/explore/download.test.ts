import { expect, it } from 'vitest';
import { rowOf } from '../../panels/logs/prepare';
import { asJson, asText } from './download';

const row = rowOf(
  {
    ns: '1700000000000000001',
    ms: 1_700_000_000_000,
    line: 'level=error <b>',
    stream: { job: 'a' },
    metadata: { id: '1' },
    parsed: {},
  },
  'k',
);

it('writes lines with their time, and with all that is known of them', () => {
  expect(asText([row]).join('')).toBe('2023-11-14T22:13:20.000Z level=error <b>\n');
  expect(JSON.parse(asJson([row]).join(''))).toEqual([
    {
      timestamp: '1700000000000000001',
      time: '2023-11-14T22:13:20.000Z',
      level: 'error',
      line: 'level=error <b>',
      labels: { job: 'a', id: '1' },
    },
  ]);
});

it('writes many lines in pieces that are one file', () => {
  const rows = Array.from({ length: 20_001 }, (_, at) => ({ ...row, line: String(at) }));
  expect(asText(rows)).toHaveLength(3);
  expect(asText(rows).join('').split('\n')).toHaveLength(20_002);
  const back = JSON.parse(asJson(rows).join('')) as { line: string }[];
  expect(back.map(({ line }) => line)).toEqual(rows.map(({ line }) => line));
});
