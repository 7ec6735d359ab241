import { expect, it } from 'vitest';
import { copyOf, fileOf, panelIn, withPanel, withTarget } from './edit';

const FILE = {
  uid: 'u',
  id: 7,
  title: 'T',
  strange: { kept: true },
  panels: [
    { id: 1, type: 'row', panels: [{ id: 2, type: 'stat', targets: [{ expr: 'a', x: 1 }] }] },
    { id: 3, type: 'text' },
  ],
};

it('finds and changes a panel within a row, and nothing else', () => {
  const panel = panelIn(FILE, 2);
  if (panel === undefined) throw new Error('BUG');
  const changed = withPanel(FILE, 2, withTarget(panel, 0, { expr: 'b' }));
  expect(panelIn(changed, 2)).toEqual({ id: 2, type: 'stat', targets: [{ expr: 'b', x: 1 }] });
  expect(changed.strange).toEqual(FILE.strange);
  expect(panelIn(changed, 3)).toEqual({ id: 3, type: 'text' });
  expect(panelIn(FILE, 9)).toBeUndefined();
  expect(panelIn({ rows: [{ panels: [{ id: 4, type: 'graph' }] }] }, 4)).toBeDefined();
});

it('copies without what names the original', () => {
  expect(copyOf(FILE, 'C')).toEqual({ title: 'C', strange: { kept: true }, panels: FILE.panels });
});

it('takes the dashboard out of an answer', () => {
  expect(fileOf({ dashboard: FILE, meta: {} })).toBe(FILE);
  expect(fileOf(FILE)).toBe(FILE);
  expect(fileOf([])).toBeUndefined();
});
