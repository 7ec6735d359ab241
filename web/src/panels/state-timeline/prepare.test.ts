import { expect, it } from 'vitest';
import { applyOptions } from '../../dashboard/fields/apply';
import type { FieldOptions } from '../../dashboard/schema/model';
import { type FieldType, field, frame } from '../../frame/frame';
import { prepareStates } from './prepare';

const range = { from: 0, to: 1_000 };
function states(
  values: unknown[],
  merge = true,
  defaults: FieldOptions = {},
  type: FieldType = 'number',
) {
  const times = values.map((_, at) => at * 100);
  const one = frame([field('Time', 'time', times), field('up', type, values)]);
  return prepareStates(applyOptions([one], defaults, []), range, merge);
}
const spans = (of: ReturnType<typeof states>) =>
  of.lanes[0]?.spans.map((s) => [s.from, s.to, s.shown.text]);

it('joins equal neighbours and leaves gaps', () => {
  expect(spans(states([1, 1, 0, null, 1]))).toEqual([
    [0, 200, '1'],
    [200, 300, '0'],
    [400, 500, '1'],
  ]);
  expect(spans(states([1, 1], false))?.length).toBe(2);
});

it('takes names and colours from mappings', () => {
  const view = states([1, 0], true, {
    mappings: [{ type: 'value', options: { '1': { text: 'up', color: 'green' } } }],
  });
  expect(view.legend[0]).toEqual({ name: 'up', color: '#73BF69' });
});

it('gives each word its colour of the palette', () => {
  const view = states(['a', 'b', 'a'], true, { color: { mode: 'palette-classic' } }, 'string');
  const colors = view.lanes[0]?.spans.map((s) => s.shown.color);
  expect(colors?.[0]).toBe(colors?.[2]);
  expect(colors?.[0]).not.toBe(colors?.[1]);
  expect(prepareStates([], range, true)).toEqual({ lanes: [], legend: [] });
});
