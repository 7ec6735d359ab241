import { expect, it } from 'vitest';
import type { Panel } from '../schema/model';
import { layout, linesOf } from './repeat';

const panel = (id: number, more: Partial<Panel> = {}): Panel => ({
  id,
  type: 'stat',
  title: '',
  grid: { x: 0, y: 0, w: 6, h: 4 },
  source: { kind: 'prometheus' },
  targets: [],
  defaults: {},
  overrides: [],
  options: {},
  transformations: [],
  links: [],
  transparent: false,
  repeatDirection: 'h',
  maxPerRow: 2,
  collapsed: false,
  panels: [],
  ...more,
});

const values = (name: string) => ({ job: ['a', 'b', 'c'], one: ['x'] })[name] ?? [];

it('repeats a panel across the board, and moves what is below', () => {
  const [row] = layout(
    [panel(1, { repeat: 'job' }), panel(2, { grid: { x: 0, y: 4, w: 6, h: 4 } })],
    values,
  );
  expect(row?.panels.map((p) => [p.key, p.grid.x, p.grid.y, p.grid.w, p.fixed])).toEqual([
    ['1-0', 0, 0, 12, { job: 'a' }],
    ['1-1', 12, 0, 12, { job: 'b' }],
    ['1-2', 0, 4, 12, { job: 'c' }],
    ['2', 0, 8, 6, {}],
  ]);
  expect(linesOf(row?.panels ?? [])).toBe(12);
});

it('repeats downwards', () => {
  const [row] = layout([panel(1, { repeat: 'job', repeatDirection: 'v' })], values);
  expect(row?.panels.map((p) => [p.grid.x, p.grid.y, p.grid.w])).toEqual([
    [0, 0, 6],
    [0, 4, 6],
    [0, 8, 6],
  ]);
});

it('repeats a row with its panels, which then do not repeat for the same variable', () => {
  const rows = layout(
    [
      panel(9, {
        type: 'row',
        title: '$job',
        repeat: 'job',
        panels: [panel(1, { repeat: 'job' })],
      }),
    ],
    values,
  );
  expect(rows.map((r) => [r.key, r.fixed, r.panels.length])).toEqual([
    ['row-9-0', { job: 'a' }, 1],
    ['row-9-1', { job: 'b' }, 1],
    ['row-9-2', { job: 'c' }, 1],
  ]);
  expect(new Set(rows.flatMap((r) => r.panels.map((p) => p.key))).size).toBe(3);
});

it('shows a panel once when its variable has no value', () => {
  const [row] = layout([panel(1, { repeat: 'none' })], values);
  expect(row?.panels.map((p) => [p.key, p.grid.w])).toEqual([['1', 6]]);
});

it('leaves no hole above a panel', () => {
  const at = (id: number, x: number, y: number, w: number, h: number) =>
    panel(id, { grid: { x, y, w, h } });
  const [row] = layout([at(1, 0, 0, 12, 4), at(2, 12, 0, 12, 8), at(3, 0, 20, 24, 2)], values);
  const [next] = layout([at(1, 0, 3, 6, 4), at(2, 0, 30, 6, 4), at(3, 6, 9, 6, 4)], values);
  const places = (of: typeof row) => of?.panels.map((p) => [p.panel.id, p.grid.x, p.grid.y]);
  expect(places(row)).toEqual([
    [1, 0, 0],
    [2, 12, 0],
    [3, 0, 8],
  ]);
  expect(places(next)).toEqual([
    [1, 0, 0],
    [3, 6, 0],
    [2, 0, 4],
  ]);
});
