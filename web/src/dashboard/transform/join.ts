/** Making one frame of several: side by side, one below the other, or by a shared field. */

import { displayName, type Field, type Frame, field, frame } from '../../frame/frame';
import { type Json, text } from '../../lib/json';
import { type JoinedRow, joinRows } from './join-rows';

/** Keeps a field's values for the given rows; a row of -1 is empty. */
export function take(of: Field, rows: readonly number[]): Field {
  return { ...of, values: rows.map((row) => (row < 0 ? null : of.values[row])) };
}

/** The name under which fields of different frames are the same. */
function title(of: Field, frames: readonly Frame[]): string {
  return of.type === 'time' ? of.name || 'Time' : displayName(of, frames);
}

/**
 * Joins frames on a field, by default the first time field: one row for each of its values
 * (`outer`), one for each pair of rows that agree in it (`inner`), or those and the rows that stand
 * alone (`outerTabular`).
 */
export function joinByField(frames: readonly Frame[], options: Json): readonly Frame[] {
  const wanted = text(options, 'byField');
  const mode = text(options, 'mode') ?? 'outer';
  const keyed = frames.flatMap((f) => {
    const key = f.fields.find((x) =>
      wanted === undefined || wanted === ''
        ? x.type === 'time'
        : title(x, frames) === wanted || x.name === wanted,
    );
    return key === undefined ? [] : [{ frame: f, key }];
  });
  const [first] = keyed;
  if (first === undefined) return [];
  if (keyed.length === 1) return [first.frame];
  const keys = keyed.map(({ key }) => key.values);
  const joinedRows = mode === 'outer' ? onePerValue(keys) : joinRows(keys, mode === 'outerTabular');
  const keyOf = (row: JoinedRow) => {
    const at = row.findIndex((of) => of >= 0);
    return keys[at]?.[row[at] ?? -1];
  };
  if (mode !== 'outerTabular' && (first.key.type === 'time' || first.key.type === 'number'))
    joinedRows.sort((a, b) => Number(keyOf(a)) - Number(keyOf(b)));
  const others = keyed.flatMap(({ frame: f, key }, at) =>
    f.fields
      .filter((x) => x !== key)
      .map((x) => {
        const joined = take(
          x,
          joinedRows.map((row) => row[at] ?? -1),
        );
        // Names keep telling where a field came from once its frame is gone.
        const name = title(x, frames);
        return x.labels !== undefined || x.name !== name
          ? { ...joined, config: { ...x.config, displayName: name } }
          : joined;
      }),
  );
  return [frame([{ ...first.key, values: joinedRows.map(keyOf) }, ...others])];
}

/** The rows of the tables that have a value, for each value of any; of equal ones the last. */
function onePerValue(keys: readonly (readonly unknown[])[]): JoinedRow[] {
  const rows = keys.map((of) => new Map(of.map((value, row) => [value, row])));
  const values = new Set(keys.flat());
  return [...values].map((value) => rows.map((map) => map.get(value) ?? -1));
}

/**
 * One table of all frames: fields of one name become one column, rows that agree in the columns
 * they share become one row. What instant queries of several targets become in a table.
 */
export function merge(frames: readonly Frame[]): readonly Frame[] {
  const filled = frames.filter((f) => f.fields.length > 0);
  if (filled.length < 2) return filled;
  const columns: { name: string; sample: Field }[] = [];
  for (const f of filled) {
    for (const x of f.fields) {
      const name = title(x, []);
      if (!columns.some((c) => c.name === name)) columns.push({ name, sample: x });
    }
  }
  const inAll = columns.filter((c) =>
    filled.every((f) => f.fields.some((x) => title(x, []) === c.name)),
  );
  const keyNames = new Set(inAll.map((c) => c.name));
  const rows: Map<string, unknown>[] = [];
  const byKey = new Map<string, Map<string, unknown>[]>();
  for (const f of filled) {
    for (let at = 0; at < f.length; at += 1) {
      const cells = new Map(f.fields.map((x) => [title(x, []), x.values[at]]));
      const key = JSON.stringify([...keyNames].map((name) => cells.get(name)));
      const same = byKey.get(key) ?? [];
      const open = same.find((row) =>
        [...cells].every(([name, value]) => !row.has(name) || row.get(name) === value),
      );
      if (open === undefined || keyNames.size === 0) {
        rows.push(cells);
        byKey.set(key, [...same, cells]);
      } else {
        for (const [name, value] of cells) open.set(name, value);
      }
    }
  }
  return [
    frame(
      columns.map(({ name, sample }) =>
        field(
          name,
          sample.type,
          rows.map((row) => row.get(name) ?? null),
          { config: sample.config },
        ),
      ),
    ),
  ];
}

/** Every series below the other: time, name of the series, value. */
export function seriesToRows(frames: readonly Frame[]): readonly Frame[] {
  const rows: [time: unknown, metric: string, value: unknown][] = [];
  for (const f of frames) {
    const time = f.fields.find((x) => x.type === 'time');
    if (time === undefined) continue;
    for (const x of f.fields) {
      if (x === time) continue;
      x.values.forEach((value, at) => {
        rows.push([time.values[at], displayName(x, frames), value]);
      });
    }
  }
  rows.sort((a, b) => Number(b[0]) - Number(a[0]));
  return [
    frame([
      field(
        'Time',
        'time',
        rows.map(([time]) => time),
      ),
      field(
        'Metric',
        'string',
        rows.map(([, metric]) => metric),
      ),
      field(
        'Value',
        'number',
        rows.map(([, , value]) => value),
      ),
    ]),
  ];
}

/** All fields side by side; shorter ones end empty. */
export function concatenate(frames: readonly Frame[]): readonly Frame[] {
  const length = Math.max(0, ...frames.map((f) => f.length));
  const rows = Array.from({ length }, (_, at) => at);
  const fields = frames.flatMap((f) =>
    f.fields.map((x) =>
      take(
        x,
        rows.map((row) => (row < f.length ? row : -1)),
      ),
    ),
  );
  return fields.length === 0 ? [] : [frame(fields)];
}
