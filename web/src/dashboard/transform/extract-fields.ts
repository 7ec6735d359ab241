/** Columns out of a column of JSON, key=value pairs or labels. */

import { displayName, type Frame, field, frame } from '../../frame/frame';
import { flag, isObject, type Json, objects, text } from '../../lib/json';

export function extractFields(frames: readonly Frame[], options: Json): readonly Frame[] {
  const source = text(options, 'source') ?? '';
  const format = text(options, 'format') ?? 'auto';
  return frames.map((f) => {
    const of = f.fields.find((x) => displayName(x, frames) === source || x.name === source);
    if (of === undefined) return f;
    const paths = objects(options, 'jsonPaths').filter(
      (p) => text(p, 'path') !== undefined && text(p, 'path') !== '',
    );
    const rows = of.values.map((value) => parse(value, format));
    const names =
      paths.length > 0
        ? paths.map((p) => text(p, 'alias') || (text(p, 'path') ?? ''))
        : [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const columns = names.map((name, at) => {
      const path = text(paths[at] ?? {}, 'path');
      const values = rows.map(
        (row) => (path === undefined ? row[name] : follow(row, path)) ?? null,
      );
      const numbers =
        values.every((v) => v === null || typeof v === 'number') && values.some((v) => v !== null);
      return field(name, numbers ? 'number' : 'string', numbers ? values : values.map(asText));
    });
    const time = f.fields.filter((x) => x.type === 'time' && flag(options, 'keepTime'));
    const kept = flag(options, 'replace') ? time : f.fields;
    return columns.length === 0 ? f : frame([...kept, ...columns], f);
  });
}

function asText(value: unknown): unknown {
  return isObject(value) || Array.isArray(value) ? JSON.stringify(value) : value;
}

function parse(value: unknown, format: string): Json {
  if (isObject(value)) return value;
  if (typeof value !== 'string') return {};
  if (format !== 'kvp') {
    try {
      const parsed: unknown = JSON.parse(value);
      if (isObject(parsed)) return parsed;
    } catch {
      if (format === 'json') return {};
    }
  }
  const pairs = [...value.matchAll(/([^\s=,{}"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,{}]*))/g)];
  return Object.fromEntries(pairs.map(([, key = '', quoted, plain]) => [key, quoted ?? plain]));
}

function follow(of: unknown, path: string): unknown {
  return path
    .split(/[.[\]]+/)
    .filter((step) => step !== '')
    .reduce<unknown>(
      (at, step) => (isObject(at) || Array.isArray(at) ? (at as Json)[step] : undefined),
      of,
    );
}
