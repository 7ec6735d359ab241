/**
 * Panels and rows that repeat for each value of a variable, as Grafana lays them out: panels side by
 * side within the width of the board or one below the other, rows one after the other.
 */

import type { Values } from '../run';
import type { Grid, Panel } from '../schema/model';

/** A panel where it stands, with the values that its repetition fixes. */
export type Placed = {
  readonly key: string;
  readonly panel: Panel;
  readonly grid: Grid;
  /** Variables that have one value here: what the panel or its row repeats for. */
  readonly fixed: Readonly<Record<string, string>>;
};

export type PlacedRow = {
  readonly key: string;
  readonly title: string;
  readonly panel: Panel | undefined;
  readonly fixed: Readonly<Record<string, string>>;
  readonly collapsed: boolean;
  readonly panels: readonly Placed[];
};

/** The values of all variables, those that a repetition fixes in front. */
export function within(values: Values, fixed: Readonly<Record<string, string>>): Values {
  if (Object.keys(fixed).length === 0) return values;
  return (name) => {
    const one = fixed[name];
    return one === undefined ? values(name) : { value: one, text: [one], chosen: [one] };
  };
}

const COLUMNS = 24;

/** The rows of a board from above; panels above the first row are in one without a title. */
export function layout(
  panels: readonly Panel[],
  valuesOf: (name: string) => readonly string[],
): PlacedRow[] {
  const rows: PlacedRow[] = [];
  const loose = panels.filter((p) => p.type !== 'row');
  if (loose.length > 0) {
    rows.push({
      key: 'top',
      title: '',
      panel: undefined,
      fixed: {},
      collapsed: false,
      panels: place(loose, valuesOf, {}, ''),
    });
  }
  for (const row of panels.filter((p) => p.type === 'row')) {
    const values = row.repeat === undefined ? [] : valuesOf(row.repeat);
    const copies =
      values.length === 0 ? [{}] : values.map((value) => ({ [row.repeat ?? '']: value }));
    for (const [at, fixed] of copies.entries()) {
      const key = copies.length === 1 ? `row-${row.id}` : `row-${row.id}-${at}`;
      rows.push({
        key,
        title: row.title,
        panel: row,
        fixed,
        collapsed: row.collapsed,
        panels: place(row.panels, valuesOf, fixed, `${key}/`),
      });
    }
  }
  return rows;
}

function place(
  panels: readonly Panel[],
  valuesOf: (name: string) => readonly string[],
  fixed: Readonly<Record<string, string>>,
  prefix: string,
): Placed[] {
  const top = Math.min(...panels.map((p) => p.grid.y));
  const placed: Placed[] = [];
  let moved = 0;
  for (const panel of [...panels].sort((a, b) => a.grid.y - b.grid.y || a.grid.x - b.grid.x)) {
    const y = panel.grid.y - top + moved;
    const name = panel.repeat;
    const values = name === undefined || name in fixed ? [] : valuesOf(name);
    if (name === undefined || values.length === 0) {
      placed.push({ key: `${prefix}${panel.id}`, panel, grid: { ...panel.grid, y }, fixed });
      continue;
    }
    const across = panel.repeatDirection === 'h';
    const perRow = across ? Math.min(Math.max(panel.maxPerRow, 1), values.length) : 1;
    const width = across ? Math.floor(COLUMNS / perRow) : panel.grid.w;
    for (const [at, value] of values.entries()) {
      const x = across ? (at % perRow) * width : panel.grid.x;
      const line = across ? Math.floor(at / perRow) : at;
      const grid = { x, y: y + line * panel.grid.h, w: width, h: panel.grid.h };
      placed.push({
        key: `${prefix}${panel.id}-${at}`,
        panel,
        grid,
        fixed: { ...fixed, [name]: value },
      });
    }
    moved += (Math.ceil(values.length / perRow) - 1) * panel.grid.h;
  }
  return risen(placed);
}

/** Every panel as high as those above it let it: like Grafana, a board has no holes above panels. */
function risen(placed: readonly Placed[]): Placed[] {
  const depth = new Array<number>(COLUMNS).fill(0);
  return [...placed]
    .sort((a, b) => a.grid.y - b.grid.y || a.grid.x - b.grid.x)
    .map((one) => {
      const columns = Array.from({ length: one.grid.w }, (_, at) => one.grid.x + at);
      const y = columns.reduce((most, column) => Math.max(most, depth[column] ?? 0), 0);
      for (const column of columns) depth[column] = y + one.grid.h;
      return { ...one, grid: { ...one.grid, y } };
    });
}

/** Lines of the grid that a row's panels take. */
export function linesOf(panels: readonly Placed[]): number {
  return panels.reduce((most, { grid }) => Math.max(most, grid.y + grid.h), 0);
}
