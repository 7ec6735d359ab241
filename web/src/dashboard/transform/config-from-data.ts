/** Field options (max, min, unit, thresholds …) from the answer of another query. */

import { displayName, type FieldConfig, type Frame } from '../../frame/frame';
import { isObject, type Json, object, objects, text } from '../../lib/json';
import { matches } from '../fields/apply';
import { reduceValues } from '../fields/reduce';

const NUMBERS: ReadonlySet<string> = new Set(['min', 'max', 'decimals']);
const TEXTS: ReadonlySet<string> = new Set(['unit', 'displayName', 'noValue']);

export function configFromData(frames: readonly Frame[], options: Json): readonly Frame[] {
  const from = text(options, 'configRefId') ?? 'config';
  const config = frames.find((f) => f.refId === from);
  if (config === undefined) return frames;
  const mappings = objects(options, 'mappings');
  let found: FieldConfig = {};
  for (const x of config.fields) {
    const name = displayName(x, frames);
    const mapping = mappings.find(
      (m) => text(m, 'fieldName') === name || text(m, 'fieldName') === x.name,
    );
    const key = mapping === undefined ? x.name.toLowerCase() : (text(mapping, 'handlerKey') ?? '');
    const value = reduceValues(x.values, text(mapping ?? {}, 'reducerId') ?? 'lastNotNull');
    if (NUMBERS.has(key) && typeof value === 'number') found = { ...found, [key]: value };
    else if (TEXTS.has(key) && value !== null) found = { ...found, [key]: String(value) };
  }
  const matcher = object(options, 'applyTo');
  const all = !isObject(options.applyTo) || text(matcher, 'id') === undefined;
  return frames
    .filter((f) => f !== config)
    .map((f) => ({
      ...f,
      fields: f.fields.map((x) => {
        const chosen = all
          ? x.type === 'number'
          : matches({ id: text(matcher, 'id') ?? '', options: matcher.options }, x, f, frames);
        return chosen ? { ...x, config: { ...x.config, ...found } } : x;
      }),
    }));
}
