/** Order, names, types and number of columns and rows. */

import { displayName, type Field, type Frame, frame } from '../../frame/frame';
import { flag, isObject, type Json, numeric, object, objects, text } from '../../lib/json';
import { regexOf } from '../fields/apply';
import { take } from './join';

function named(of: Field, frames: readonly Frame[], name: string): boolean {
  return displayName(of, frames) === name || of.name === name;
}

function rename(of: Field, name: string): Field {
  return { ...of, config: { ...of.config, displayName: name } };
}

/** Hides, orders and renames columns. */
export function organize(frames: readonly Frame[], options: Json): readonly Frame[] {
  const hidden = object(options, 'excludeByName');
  const order = object(options, 'indexByName');
  const names = object(options, 'renameByName');
  const included = object(options, 'includeByName');
  const anyIncluded = Object.values(included).some((v) => v === true);
  const keyOf = (of: Json, x: Field) =>
    displayName(x, frames) in of ? displayName(x, frames) : x.name;
  return frames.map((f) => {
    const shown = f.fields.filter(
      (x) =>
        hidden[keyOf(hidden, x)] !== true &&
        (!anyIncluded || included[keyOf(included, x)] === true),
    );
    const place = (x: Field) => numeric(order, keyOf(order, x)) ?? Number.MAX_SAFE_INTEGER;
    const sorted = [...shown].sort((a, b) => place(a) - place(b));
    const fields = sorted.map((x) => {
      const name = text(names, keyOf(names, x));
      return name === undefined || name === '' ? x : rename(x, name);
    });
    return { ...f, fields, length: fields.length === 0 ? 0 : f.length };
  });
}

export function renameByRegex(frames: readonly Frame[], options: Json): readonly Frame[] {
  const pattern = regexOf(text(options, 'regex') ?? '');
  const by = text(options, 'renamePattern') ?? '';
  if (pattern === undefined || by === '') return frames;
  const global = new RegExp(pattern.source, `${pattern.flags.replace('g', '')}g`);
  return frames.map((f) => ({
    ...f,
    fields: f.fields.map((x) => {
      const name = displayName(x, frames);
      return pattern.test(name) && x.type !== 'time' ? rename(x, name.replace(global, by)) : x;
    }),
  }));
}

/** Sorts rows by a column; empty cells come last. */
export function sortBy(frames: readonly Frame[], options: Json): readonly Frame[] {
  const [first] = objects(options, 'sort');
  const name = first === undefined ? undefined : text(first, 'field');
  if (first === undefined || name === undefined) return frames;
  const down = flag(first, 'desc');
  return frames.map((f) => {
    const by = f.fields.find((x) => named(x, frames, name));
    if (by === undefined) return f;
    const rows = by.values.map((_, at) => at);
    rows.sort((a, b) => compare(by.values[a], by.values[b], down));
    return { ...f, fields: f.fields.map((x) => take(x, rows)) };
  });
}

/** Numbers by size, texts by the alphabet with numbers inside them by size. */
export function compare(a: unknown, b: unknown, down: boolean): number {
  const none = (v: unknown) => v === null || v === undefined || Number.isNaN(v);
  if (none(a) || none(b)) return Number(none(a)) - Number(none(b));
  const order =
    typeof a === 'number' && typeof b === 'number'
      ? a - b
      : String(a).localeCompare(String(b), undefined, { numeric: true });
  return down ? -order : order;
}

export function limit(frames: readonly Frame[], options: Json): readonly Frame[] {
  const most = numeric(options, 'limitField') ?? 10;
  return frames.map((f) => {
    if (f.length <= most) return f;
    const rows = Array.from({ length: most }, (_, at) => at);
    return frame(
      f.fields.map((x) => take(x, rows)),
      f,
    );
  });
}

/** Reads columns as another type. */
export function convertFieldType(frames: readonly Frame[], options: Json): readonly Frame[] {
  let now = [...frames];
  for (const one of objects(options, 'conversions')) {
    const name = text(one, 'targetField') ?? '';
    const type = text(one, 'destinationType') ?? '';
    now = now.map((f) => ({
      ...f,
      fields: f.fields.map((x) => (named(x, now, name) ? convert(x, type) : x)),
    }));
  }
  return now;
}

function convert(of: Field, type: string): Field {
  switch (type) {
    case 'number':
      return {
        ...of,
        type,
        values: of.values.map((v) =>
          v === null || v === undefined || v === '' ? null : Number(v),
        ),
      };
    case 'string':
      return {
        ...of,
        type,
        values: of.values.map((v) =>
          v === null || v === undefined ? null : isObject(v) ? JSON.stringify(v) : String(v),
        ),
      };
    case 'boolean':
      return {
        ...of,
        type,
        values: of.values.map((v) => v !== 'false' && v !== '0' && Boolean(v)),
      };
    case 'time':
      return {
        ...of,
        type,
        values: of.values.map((v) => (typeof v === 'number' ? v : Date.parse(String(v)))),
      };
    default:
      return of;
  }
}
