/** Leaving out columns, rows and frames. */

import { displayName, type Frame, frame } from '../../frame/frame';
import { isObject, type Json, list, object, objects, text, texts } from '../../lib/json';
import { regexOf } from '../fields/apply';
import { take } from './join';

/** Keeps columns by name or pattern, or all but these. */
export function filterFieldsByName(frames: readonly Frame[], options: Json): readonly Frame[] {
  const chosen = (side: string) => {
    const of = options[side];
    if (!isObject(of)) return undefined;
    const names = texts(of, 'names');
    const pattern = text(of, 'pattern');
    const compiled = pattern === undefined || pattern === '' ? undefined : regexOf(pattern);
    return (name: string, own: string) =>
      names.includes(name) || names.includes(own) || compiled?.test(name) === true;
  };
  const include = chosen('include');
  const exclude = chosen('exclude');
  return frames.flatMap((f) => {
    const fields = f.fields.filter((x) => {
      const name = displayName(x, frames);
      return (include?.(name, x.name) ?? true) && !(exclude?.(name, x.name) ?? false);
    });
    return fields.length === 0 ? [] : [{ ...f, fields }];
  });
}

export function filterByRefId(frames: readonly Frame[], options: Json): readonly Frame[] {
  const include = text(options, 'include') ?? '';
  const pattern = regexOf(include);
  if (include === '' || pattern === undefined) return frames;
  return frames.filter((f) => pattern.test(f.refId ?? ''));
}

/** Keeps rows for which all (or any) of the conditions hold, or leaves these out. */
export function filterByValue(frames: readonly Frame[], options: Json): readonly Frame[] {
  const conditions = objects(options, 'filters');
  const all = text(options, 'match') === 'all';
  const keep = text(options, 'type') !== 'exclude';
  if (conditions.length === 0) return frames;
  return frames.map((f) => {
    const tests = conditions.flatMap((condition) => {
      const of = f.fields.find(
        (x) =>
          displayName(x, frames) === text(condition, 'fieldName') ||
          x.name === text(condition, 'fieldName'),
      );
      return of === undefined
        ? []
        : [(row: number) => holds(of.values[row], object(condition, 'config'))];
    });
    if (tests.length === 0) return f;
    const rows = Array.from({ length: f.length }, (_, at) => at).filter((row) => {
      const found = all ? tests.every((test) => test(row)) : tests.some((test) => test(row));
      return found === keep;
    });
    return frame(
      f.fields.map((x) => take(x, rows)),
      f,
    );
  });
}

function holds(value: unknown, config: Json): boolean {
  const options = object(config, 'options');
  const bound = options.value;
  const number = Number(value);
  switch (text(config, 'id')) {
    case 'isNull':
      return value === null || value === undefined;
    case 'isNotNull':
      return value !== null && value !== undefined;
    case 'greater':
      return number > Number(bound);
    case 'greaterOrEqual':
      return number >= Number(bound);
    case 'lower':
      return number < Number(bound);
    case 'lowerOrEqual':
      return number <= Number(bound);
    case 'between':
      return number >= Number(options.from) && number <= Number(options.to);
    case 'equal':
      return String(value) === String(bound);
    case 'notEqual':
      return String(value) !== String(bound);
    case 'substring':
      return String(value).toLowerCase().includes(String(bound).toLowerCase());
    case 'notSubstring':
      return !String(value).toLowerCase().includes(String(bound).toLowerCase());
    case 'regex':
      return regexOf(String(bound))?.test(String(value)) === true;
    default:
      return list(config, 'options').length === 0;
  }
}
