import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { situation } from './logql-complete';
import { AGGREGATIONS, FILTERS, RANGES, STAGES } from './logql-terms';

const at = (text: string) => situation(text);

it('knows names and values in a selector', () => {
  expect(at('{')).toEqual({ at: 'name', from: 1, selector: '' });
  expect(at('{job="a", na')).toEqual({ at: 'name', from: 10, selector: '{job="a"}' });
  expect(at('{job="a}", pod=~"x')).toEqual({
    at: 'value',
    from: 17,
    label: 'pod',
    selector: '{job="a}"}',
    quoted: true,
  });
  expect(at('{job=')).toMatchObject({ at: 'value', label: 'job', quoted: false, from: 5 });
  expect(at('{job="a"').at).toBe('nothing');
});

it('knows stages, fields, filters, durations and functions', () => {
  expect(at('{job="a"} | js')).toEqual({ at: 'stage', from: 12, selector: '{job="a"}' });
  expect(at('{job="a"} | json | unwrap du').at).toBe('field');
  expect(at('sum by (le')).toMatchObject({ at: 'field', from: 8 });
  expect(at('sum(rate({job="a"}[').at).toBe('duration');
  expect(at('{job="a"} ').at).toBe('filter');
  expect(at('')).toEqual({ at: 'function', from: 0 });
  expect(at('sum(co')).toEqual({ at: 'function', from: 4 });
});

it('completes nothing inside of a text', () => {
  expect(at('{job="a"} |= "| js').at).toBe('nothing');
  expect(at('{job="a"} |= `{x').at).toBe('nothing');
});

it('has the words of the reference', () => {
  const page = readFileSync(
    new URL('../../../../docs/reference/logql.md', import.meta.url),
    'utf8',
  );
  const rows = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((row) =>
    (row[1] ?? '').replaceAll('\\|', '|'),
  );
  const own = [...FILTERS, ...STAGES, ...RANGES, ...AGGREGATIONS].map((term) => term.label);
  expect(own.filter((word) => !rows.includes(word))).toEqual([]);
  expect(rows.slice(0, own.length).sort()).toEqual([...own].sort());
});
