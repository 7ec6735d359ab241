/** From a frame to columns and cells of a table. Pure. */

import { optionsOf } from '../../dashboard/fields/apply';
import { type Display, displayOf } from '../../dashboard/fields/display';
import type { Link } from '../../dashboard/schema/model';
import { compare } from '../../dashboard/transform/organize';
import { displayName, type Field, type Frame } from '../../frame/frame';
import type { Json } from '../../lib/json';
import { isObject, list, object, text } from '../../lib/json';

export type CellType =
  | 'auto'
  | 'color-text'
  | 'color-background'
  | 'gauge'
  | 'json-view'
  | 'image'
  | 'sparkline';

export type Column = {
  readonly name: string;
  readonly field: Field;
  readonly display: Display;
  readonly cell: CellType;
  readonly gradient: boolean;
  readonly align: 'left' | 'center' | 'right';
  readonly width: number | undefined;
  readonly minWidth: number;
  readonly filterable: boolean;
  readonly links: readonly Link[];
};

const CELLS: ReadonlySet<string> = new Set([
  'color-text',
  'color-background',
  'gauge',
  'json-view',
  'image',
  'sparkline',
]);

export function prepareColumns(
  frame: Frame | undefined,
  frames: readonly Frame[],
): readonly Column[] {
  if (frame === undefined) return [];
  return frame.fields.flatMap((field, index): Column[] => {
    const options = optionsOf(field);
    const custom: Json = options.custom ?? {};
    const hidden = custom.hidden === true || object(custom, 'hideFrom').viz === true;
    if (hidden) return [];
    const cellOptions = isObject(custom.cellOptions) ? custom.cellOptions : {};
    // Before schema version 37 the mode was a word.
    const word = text(cellOptions, 'type') ?? text(custom, 'displayMode') ?? 'auto';
    const cell = word.startsWith('color-background')
      ? 'color-background'
      : word.includes('gauge')
        ? 'gauge'
        : CELLS.has(word)
          ? (word as CellType)
          : 'auto';
    const align = text(custom, 'align');
    const number = (key: string) =>
      typeof custom[key] === 'number' ? (custom[key] as number) : undefined;
    return [
      {
        name: displayName(field, frames),
        field,
        display: displayOf(field, { index }),
        cell,
        gradient: text(cellOptions, 'mode') === 'gradient' || word === 'color-background',
        align:
          align === 'left' || align === 'center' || align === 'right'
            ? align
            : field.type === 'number'
              ? 'right'
              : 'left',
        width: number('width'),
        minWidth: number('minWidth') ?? 90,
        filterable: custom.filterable === true || options.filterable === true,
        links: options.links ?? [],
      },
    ];
  });
}

export type Sort = { readonly name: string; readonly down: boolean };

/** What the file says about the order of rows. */
export function sortOf(options: Json): Sort | undefined {
  const [first] = list(options, 'sortBy').filter(isObject);
  const name = first === undefined ? undefined : text(first, 'displayName');
  return first === undefined || name === undefined
    ? undefined
    : { name, down: first.desc === true };
}

/** The rows to show, by their number in the frame: those that pass all filters, in order. */
export function rowsOf(
  columns: readonly Column[],
  length: number,
  sort: Sort | undefined,
  filters: Readonly<Record<string, string>>,
): number[] {
  const active = columns.flatMap((c) => {
    const wanted = filters[c.name]?.trim().toLowerCase() ?? '';
    return wanted === '' ? [] : [{ c, wanted }];
  });
  const rows = Array.from({ length }, (_, at) => at).filter((row) =>
    active.every(({ c, wanted }) =>
      c.display(c.field.values[row]).text.toLowerCase().includes(wanted),
    ),
  );
  const by = columns.find((c) => c.name === sort?.name);
  if (by === undefined || sort === undefined) return rows;
  return rows.sort((a, b) => compare(by.field.values[a], by.field.values[b], sort.down));
}
