import { expect, it } from 'vitest';
import { applyOptions } from '../../dashboard/fields/apply';
import type { FieldOptions } from '../../dashboard/schema/model';
import { field, frame } from '../../frame/frame';
import { prepareBars } from './prepare';

function bars(defaults: FieldOptions, options = {}) {
  const values = frame([field('Value', 'number', [30], { labels: { disk: '/' } })]);
  return prepareBars(applyOptions([values], defaults, []), options, 300, 100);
}

it('fills each bar to the place of its value', () => {
  const view = bars({ min: 0, max: 40 });
  expect(view.bars.map((b) => [b.name, b.share])).toEqual([['/', 0.75]]);
  expect(view).toMatchObject({ mode: 'gradient', horizontal: true, unfilled: true });
});

it('colours along the scale by thresholds or by a scheme', () => {
  const steps = [
    { value: Number.NEGATIVE_INFINITY, color: 'green' },
    { value: 20, color: 'red' },
  ];
  const [bar] = bars({ min: 0, max: 40, thresholds: { mode: 'absolute', steps } }).bars;
  expect([bar?.colorAt(0.1), bar?.colorAt(0.6)]).toEqual(['#73BF69', '#F2495C']);
  const [scheme] = bars({ color: { mode: 'continuous-GrYlRd' } }).bars;
  expect(scheme?.colorAt(0)).not.toBe(scheme?.colorAt(1));
});

it('follows the options of the file', () => {
  const view = bars({}, { displayMode: 'lcd', orientation: 'vertical', showUnfilled: false });
  expect(view).toMatchObject({ mode: 'lcd', horizontal: false, unfilled: false });
});
