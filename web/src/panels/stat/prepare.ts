/** From frames to the tiles of a stat panel: one for each field, or for each row. Pure. */

import { hidden } from '../../dashboard/fields/apply';
import { displayOf, type Shown } from '../../dashboard/fields/display';
import { reduceValues } from '../../dashboard/fields/reduce';
import { displayName, type Field, type Frame } from '../../frame/frame';
import { flag, type Json, numeric, object, text, texts } from '../../lib/json';

export type Tile = {
  readonly name: string;
  readonly shown: Shown;
  readonly sparkline: readonly (number | null)[];
  readonly field: Field;
};

/** Tiles past this many would be too small to read. */
const TILES_MAX = 200;

export function prepareTiles(frames: readonly Frame[], options: Json): Tile[] {
  const reduce = object(options, 'reduceOptions');
  const [calc = 'lastNotNull'] = texts(reduce, 'calcs');
  const wanted = text(reduce, 'fields') ?? '';
  const pattern = wanted === '' ? undefined : fieldPattern(wanted);
  const tiles: Tile[] = [];
  let index = 0;
  for (const frame of frames) {
    const named = frame.fields.find((f) => f.type === 'string');
    for (const field of frame.fields) {
      const name = displayName(field, frames);
      const chosen =
        pattern === undefined
          ? field.type === 'number' || field.type === 'boolean'
          : pattern.test(name) || pattern.test(field.name);
      if (!chosen || hidden(field)) continue;
      const place = index;
      const display = displayOf(field, { index: place });
      index += 1;
      if (flag(reduce, 'values')) {
        const limit = numeric(reduce, 'limit') ?? 25;
        field.values.slice(0, limit).forEach((value, row) => {
          const title = named === undefined || named === field ? name : String(named.values[row]);
          // Every row has its own colour of the palette.
          const shown = displayOf(field, { index: place + row })(value);
          tiles.push({ name: title, shown, sparkline: [], field });
        });
      } else {
        const value = reduceValues(field.values, calc);
        const sparkline = field.values.map((v) =>
          typeof v === 'number' && Number.isFinite(v) ? v : null,
        );
        tiles.push({ name, shown: display(value), sparkline, field });
      }
    }
  }
  return tiles.slice(0, TILES_MAX);
}

function fieldPattern(wanted: string): RegExp {
  const slashed = /^\/(.*)\/$/.exec(wanted);
  try {
    return slashed === null
      ? new RegExp(`^${wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
      : new RegExp(slashed[1] ?? '');
  } catch {
    return /^$/;
  }
}

/** Columns and rows that give tiles the best shape; `vertical` and `horizontal` fix one of them. */
export function tileGrid(
  count: number,
  width: number,
  height: number,
  orientation: string,
  /** How much wider than high a tile should be. */
  shape = 2.2,
): { columns: number; rows: number } {
  if (count <= 1) return { columns: 1, rows: 1 };
  if (orientation === 'vertical') return { columns: count, rows: 1 };
  if (orientation === 'horizontal') return { columns: 1, rows: count };
  let best = { columns: 1, rows: count, score: -1 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const size = Math.min(width / columns / shape, height / rows);
    if (size > best.score) best = { columns, rows, score: size };
  }
  return { columns: best.columns, rows: best.rows };
}

/** How much the last value is above the first, as a share of the first. */
export function changeOf({ sparkline }: Tile): number | undefined {
  const known = sparkline.filter((v) => v !== null);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined || known.length < 2 || first === 0)
    return undefined;
  return (last - first) / Math.abs(first);
}

/** The name beside a value: hidden for a single tile unless asked for. */
export function textMode(options: Json, tiles: number): { name: boolean; value: boolean } {
  switch (text(options, 'textMode') ?? 'auto') {
    case 'value':
      return { name: false, value: true };
    case 'name':
      return { name: true, value: false };
    case 'value_and_name':
      return { name: true, value: true };
    case 'none':
      return { name: false, value: false };
    default:
      return { name: tiles > 1, value: true };
  }
}
