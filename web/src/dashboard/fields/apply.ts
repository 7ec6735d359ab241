/**
 * Which options a field has in the end: the panel's defaults, then every override that matches,
 * in the order of the file.
 */

import { displayName, type Field, type FieldConfig, type Frame } from '../../frame/frame';
import { defined, isObject } from '../../lib/json';
import type { FieldOptions, Override } from '../schema/model';
import { readFieldOptions } from '../schema/panel';
import { reduceValues } from './reduce';

/** A field's options beside what a frame knows; panels read them with {@link optionsOf}. */
const OPTIONS = new WeakMap<Field, FieldOptions>();

export function optionsOf(field: Field): FieldOptions {
  return OPTIONS.get(field) ?? {};
}

/** Whether the file hides the field from the drawing. */
export function hidden(field: Field): boolean {
  const hide = optionsOf(field).custom?.hideFrom;
  return isObject(hide) && hide.viz === true;
}

/** Gives every field of the frames its options. */
export function applyOptions(
  frames: readonly Frame[],
  defaults: FieldOptions,
  overrides: readonly Override[],
): Frame[] {
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => {
      let options = defaults;
      let config: FieldConfig = field.config;
      for (const override of overrides) {
        if (!matches(override.matcher, field, frame, frames)) continue;
        for (const { id, value } of override.properties) options = withProperty(options, id, value);
      }
      const shown: Partial<FieldConfig> = defined({
        // A name that the query gave stays unless the panel says otherwise.
        displayName: options.displayName ?? field.config.displayName,
        unit: options.unit ?? field.config.unit,
        decimals: options.decimals,
        min: options.min,
        max: options.max,
        noValue: options.noValue,
        custom: options.custom,
      });
      config = { ...config, ...shown };
      const applied: Field = { ...field, config };
      OPTIONS.set(applied, options);
      return applied;
    }),
  }));
}

function withProperty(options: FieldOptions, id: string, value: unknown): FieldOptions {
  if (id.startsWith('custom.')) {
    return { ...options, custom: { ...options.custom, [id.slice('custom.'.length)]: value } };
  }
  return { ...options, ...readFieldOptions({ [id]: value }) };
}

/** Matchers by the ids of override rules. */
export function matches(
  matcher: { id: string; options: unknown },
  field: Field,
  frame: Frame,
  frames: readonly Frame[],
): boolean {
  const { id, options } = matcher;
  switch (id) {
    case 'byName':
      return displayName(field, frames) === options || field.name === options;
    case 'byRegexp':
    case 'byRegex': {
      const pattern = regexOf(String(options));
      return (
        pattern !== undefined &&
        (pattern.test(displayName(field, frames)) || pattern.test(field.name))
      );
    }
    case 'byNames': {
      const names = isObject(options) && Array.isArray(options.names) ? options.names : [];
      const found = names.includes(displayName(field, frames)) || names.includes(field.name);
      return isObject(options) && options.mode === 'exclude'
        ? !found && field.type !== 'time'
        : found;
    }
    case 'byType':
      return field.type === options;
    case 'numeric':
      return field.type === 'number';
    case 'time':
      return field.type === 'time';
    case 'first':
    case 'firstTimeField':
      return frame.fields.find((f) => id === 'first' || f.type === 'time') === field;
    case 'byFrameRefID':
      return frame.refId === options;
    case 'byValue':
      return isObject(options) && matchesValue(options, field);
    default:
      return false;
  }
}

function matchesValue(options: Readonly<Record<string, unknown>>, field: Field): boolean {
  const value = reduceValues(field.values, String(options.reducer));
  const bound = Number(options.value ?? 0);
  if (typeof value !== 'number') return false;
  switch (options.op) {
    case 'gt':
      return value > bound;
    case 'gte':
      return value >= bound;
    case 'lt':
      return value < bound;
    case 'lte':
      return value <= bound;
    case 'eq':
      return value === bound;
    case 'neq':
      return value !== bound;
    default:
      return false;
  }
}

/** `/a|b/i` or a bare pattern; nothing if it does not compile. */
export function regexOf(text: string): RegExp | undefined {
  const slashed = /^\/(.*)\/([gimsuy]*)$/s.exec(text);
  try {
    return slashed === null
      ? new RegExp(text)
      : new RegExp(slashed[1] ?? '', (slashed[2] ?? '').replace(/[gy]/g, ''));
  } catch {
    return undefined;
  }
}
