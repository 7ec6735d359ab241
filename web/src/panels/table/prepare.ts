/** From a frame to columns and cells of a table. Pure. */

import { optionsOf } from '../../dashboard/fields/apply';
import { type Display, displayOf } from '../../dashboard/fields/display';
import { calculationName, reduceValues } from '../../dashboard/fields/reduce';
import type { Link } from '../../dashboard/schema/model';
import { compare } from '../../dashboard/transform/organize';
import { displayName, type Field, type Frame } from '../../frame/frame';
import type { Json } from '../../lib/json';
import { isObject, list, object, text, texts } from '../../lib/json';

export type CellType = 'auto' | 'color-text' | 'color-background' | 'gauge' | 'json-view';

export type Column = {
  readonly name: string;
  readonly field: Field;
  readonly display: Display;
  readonly cell: CellType;
  readonly gradient: boolean;
  /** Of a gauge: how its bar is drawn, and whether the value beside it is. */
  readonly bar: 'basic' | 'gradient' | 'lcd';
  readonly value: 'color' | 'text' | 'hidden';
  /** Whether the colour of this cell is that of its whole row. */
  readonly row: boolean;
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
      : word.includes('gauge') || word === 'basic'
        ? 'gauge'
        : CELLS.has(word)
          ? (word as CellType)
          : 'auto';
    const mode = text(cellOptions, 'mode');
    const shown = text(cellOptions, 'valueDisplayMode');
    const align = text(custom, 'align');
    const number = (key: string) =>
      typeof custom[key] === 'number' ? (custom[key] as number) : undefined;
    return [
      {
        name: displayName(field, frames),
        field,
        display: displayOf(field, { index }),
        cell,
        bar:
          mode === 'lcd' || word.startsWith('lcd')
            ? 'lcd'
            : mode === 'basic' || word === 'basic'
              ? 'basic'
              : 'gradient',
        value: shown === 'text' || shown === 'hidden' ? shown : 'color',
        row: cellOptions.applyToRow === true,
        gradient: text(cellOptions, 'mode') === 'gradient' || word === 'color-background',
        align:
          align === 'left' || align === 'center' || align === 'right'
            ? align
            : field.type === 'number'
              ? 'right'
              : 'left',
        width: number('width'),
        minWidth: number('minWidth') ?? (field.type === 'time' || cell === 'gauge' ? WIDE : WIDTH),
        filterable: custom.filterable === true || options.filterable === true,
        links: options.links ?? [],
      },
    ];
  });
}

/** Pixels of a column at least, where the file says nothing; a whole time or a bar needs more. */
const WIDTH = 90;
const WIDE = 165;

/** Pixels of each column: what the file says, and the rest in equal parts, none below its least. */
export function columnWidths(
  columns: readonly Pick<Column, 'width' | 'minWidth'>[],
  width: number,
): readonly number[] {
  let room = width - columns.reduce((sum, c) => sum + (c.width ?? 0), 0);
  let sharing = columns.filter((c) => c.width === undefined);
  for (;;) {
    const share = Math.floor(room / Math.max(sharing.length, 1));
    const wider = sharing.filter((c) => c.minWidth > share);
    if (wider.length === 0)
      return columns.map((c) => c.width ?? (sharing.includes(c) ? share : c.minWidth));
    room -= wider.reduce((sum, c) => sum + c.minWidth, 0);
    sharing = sharing.filter((c) => !wider.includes(c));
  }
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

/** Pixels of a row. */
export function rowHeight(options: Json): number {
  return { md: 38, lg: 48 }[text(options, 'cellHeight') ?? ''] ?? 30;
}

/** The last row: a calculation of each column, or how many rows there are; nothing if not wanted. */
export function footerOf(
  columns: readonly Column[],
  rows: readonly number[],
  options: Json,
): readonly string[] | undefined {
  const footer = object(options, 'footer');
  const whole = footer.show === true;
  const chosen = texts(footer, 'fields');
  const cells = columns.map((c, at) => {
    const own = texts(object(optionsOf(c.field).custom ?? {}, 'footer'), 'reducers');
    const [id] = own.length > 0 ? own : whole ? texts(footer, 'reducer') : [];
    if (id === undefined) return '';
    if (whole && own.length === 0 && footer.countRows === true && id === 'count')
      return at === 0 ? `${rows.length} rows` : '';
    if (own.length === 0 && chosen.length > 0 && !chosen.includes(c.name)) return '';
    if (own.length === 0 && c.field.type !== 'number') return at === 0 ? calculationName(id) : '';
    const value = reduceValues(
      rows.map((row) => c.field.values[row]),
      id,
    );
    return typeof value === 'number' ? c.display(value).text : String(value ?? '');
  });
  return cells.some((cell) => cell !== '') ? cells : undefined;
}
