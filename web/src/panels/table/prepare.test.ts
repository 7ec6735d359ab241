import { expect, it } from 'vitest';
import { applyOptions } from '../../dashboard/fields/apply';
import { field, frame } from '../../frame/frame';
import { columnWidths, prepareColumns, rowsOf, sortOf } from './prepare';

const frames = applyOptions(
  [
    frame([
      field('name', 'string', ['b', 'a', 'c']),
      field('value', 'number', [2, 10, null]),
      field('secret', 'string', ['x', 'x', 'x']),
    ]),
  ],
  { unit: 'bytes' },
  [
    {
      matcher: { id: 'byName', options: 'secret' },
      properties: [{ id: 'custom.hidden', value: true }],
    },
    {
      matcher: { id: 'byName', options: 'value' },
      properties: [
        { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'gradient' } },
      ],
    },
    {
      matcher: { id: 'byName', options: 'name' },
      properties: [
        { id: 'custom.displayMode', value: 'lcd-gauge' },
        { id: 'custom.width', value: 50 },
      ],
    },
  ],
);
const columns = prepareColumns(frames[0], frames);

it('leaves out hidden columns and knows every cell mode, old and new', () => {
  expect(columns.map((c) => [c.name, c.cell, c.gradient, c.align, c.width])).toEqual([
    ['name', 'gauge', false, 'left', 50],
    ['value', 'color-background', true, 'right', undefined],
  ]);
  expect(prepareColumns(undefined, [])).toEqual([]);
});

it('sorts and filters rows by what is shown', () => {
  expect(rowsOf(columns, 3, { name: 'value', down: true }, {})).toEqual([1, 0, 2]);
  expect(rowsOf(columns, 3, undefined, { value: '10' })).toEqual([1]);
  expect(rowsOf(columns, 3, { name: 'gone', down: false }, { name: ' ' })).toEqual([0, 1, 2]);
  expect(sortOf({ sortBy: [{ displayName: 'value', desc: true }] })).toEqual({
    name: 'value',
    down: true,
  });
  expect(sortOf({})).toBeUndefined();
});

it('shares the room of a table, but leaves each column what it needs', () => {
  const f = (width: number, ...columns: readonly [width: number | undefined, least: number][]) =>
    columnWidths(
      columns.map(([width, minWidth]) => ({ width, minWidth })),
      width,
    );
  expect(f(600, [undefined, 90], [undefined, 90], [undefined, 165])).toEqual([200, 200, 200]);
  expect(f(400, [undefined, 90], [80, 90], [undefined, 165])).toEqual([155, 80, 165]);
  // Too narrow for all: the table is wider than its place.
  expect(f(200, [undefined, 90], [undefined, 90], [undefined, 165])).toEqual([90, 90, 165]);
  expect(f(200)).toEqual([]);
});
