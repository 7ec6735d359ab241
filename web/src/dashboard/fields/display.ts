/** How one value is shown: text with its unit, colour by mapping, threshold or palette. */

import type { Field } from '../../frame/frame';
import { CLASSIC, cssColor, schemeColor } from '../../lib/color';
import type { FieldOptions, Mapping, MappingResult, Thresholds } from '../schema/model';
import { type Formatted, joined } from '../units/format';
import { formatter } from '../units/units';
import { optionsOf, regexOf } from './apply';

export type Shown = {
  readonly text: string;
  readonly parts: Formatted;
  readonly color: string;
  /** The number behind it, for bars and gauges. */
  readonly number: number | undefined;
  /** Where the number lies between min and max, 0 to 1. */
  readonly share: number | undefined;
};

export type Display = (value: unknown) => Shown;

export type DisplayContext = {
  /** The field's place among the fields that are drawn: its colour in the palette. */
  readonly index?: number;
  readonly utc?: boolean;
};

/** A function that shows the field's values. */
export function displayOf(field: Field, context: DisplayContext = {}): Display {
  const options = optionsOf(field);
  const unit = options.unit ?? field.config.unit;
  const write = formatter(unit ?? (field.type === 'time' ? 'dateTimeAsIso' : unit));
  const [min, max] = bounds(field, options);
  const palette = fieldColor(options, context.index ?? 0);
  return (value) => {
    const mapped = mappingOf(value, options.mappings ?? []);
    const number =
      typeof value === 'number'
        ? value
        : typeof value === 'boolean'
          ? Number(value)
          : asNumber(value, unit);
    const share =
      number === undefined || !(max > min)
        ? undefined
        : Math.min(Math.max((number - min) / (max - min), 0), 1);
    const parts = partsOf(value, number, mapped, options, write);
    const color =
      mapped?.color !== undefined
        ? cssColor(mapped.color)
        : valueColor(number, share, options, palette);
    return { text: joined(parts), parts, color, number, share };
  };
}

function asNumber(value: unknown, unit: string | undefined): number | undefined {
  if (typeof value !== 'string' || unit === undefined || unit === 'string' || value.trim() === '')
    return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

function partsOf(
  value: unknown,
  number: number | undefined,
  mapped: MappingResult | undefined,
  options: FieldOptions,
  write: ReturnType<typeof formatter>,
): Formatted {
  if (mapped?.text !== undefined && mapped.text !== '') return { text: mapped.text };
  if (value === null || value === undefined || (typeof value === 'number' && Number.isNaN(value))) {
    return { text: options.noValue ?? (value === null || value === undefined ? '-' : 'NaN') };
  }
  if (number !== undefined) return write(number, options.decimals);
  return { text: typeof value === 'object' ? JSON.stringify(value) : String(value) };
}

/** The lowest and highest value of a scale: configured, else of the data. */
export function bounds(field: Field, options: FieldOptions): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  if (options.min === undefined || options.max === undefined) {
    for (const value of field.values) {
      if (typeof value !== 'number' || !Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (options.unit === 'percent') [low, high] = [Math.min(low, 0), Math.max(high, 100)];
  if (options.unit === 'percentunit') [low, high] = [Math.min(low, 0), Math.max(high, 1)];
  const min = options.min ?? (low === Number.POSITIVE_INFINITY ? 0 : low);
  const max = options.max ?? (high === Number.NEGATIVE_INFINITY ? 100 : high);
  return [min, max];
}

/** The first mapping that holds for the value. */
export function mappingOf(value: unknown, mappings: readonly Mapping[]): MappingResult | undefined {
  for (const mapping of mappings) {
    switch (mapping.type) {
      case 'value': {
        const found =
          value === null || value === undefined ? undefined : mapping.options[String(value)];
        if (found !== undefined) return found;
        break;
      }
      case 'range':
        if (
          typeof value === 'number' &&
          (mapping.from === null || value >= mapping.from) &&
          (mapping.to === null || value <= mapping.to)
        ) {
          return mapping.result;
        }
        break;
      case 'regex': {
        if (typeof value !== 'string') break;
        const pattern = regexOf(mapping.pattern);
        if (pattern?.test(value) !== true) break;
        const text = mapping.result.text;
        return text === undefined
          ? mapping.result
          : { ...mapping.result, text: value.replace(pattern, text) };
      }
      case 'special':
        if (isSpecial(value, mapping.match)) return mapping.result;
        break;
    }
  }
  return undefined;
}

function isSpecial(value: unknown, match: string): boolean {
  const none = value === null || value === undefined;
  const nan = typeof value === 'number' && Number.isNaN(value);
  switch (match) {
    case 'null':
      return none;
    case 'nan':
      return nan;
    case 'null+nan':
      return none || nan;
    case 'empty':
      return value === '';
    case 'true':
      return value === true;
    case 'false':
      return value === false;
    default:
      return false;
  }
}

/** The colour of the step that a value reaches; percentages are of the scale. */
export function thresholdColor(
  number: number | undefined,
  share: number | undefined,
  thresholds: Thresholds | undefined,
): string {
  const steps = thresholds?.steps ?? [{ value: Number.NEGATIVE_INFINITY, color: 'green' }];
  const at =
    thresholds?.mode === 'percentage' ? (share ?? 0) * 100 : (number ?? Number.NEGATIVE_INFINITY);
  const reached = steps.filter((step) => at >= step.value).at(-1) ?? steps[0];
  return cssColor(reached?.color ?? 'green');
}

/** The colour of a field as a whole, when it does not follow the value. */
export function fieldColor(options: FieldOptions, index: number): string {
  const { mode = 'palette-classic', fixedColor } = options.color ?? {};
  if (mode === 'fixed' || mode === 'shades') return cssColor(fixedColor ?? 'gray');
  return CLASSIC[index % CLASSIC.length] ?? CLASSIC[0];
}

function valueColor(
  number: number | undefined,
  share: number | undefined,
  options: FieldOptions,
  palette: string,
): string {
  const mode = options.color?.mode ?? 'thresholds';
  if (mode === 'thresholds') return thresholdColor(number, share, options.thresholds);
  return schemeColor(mode, share ?? 0) ?? palette;
}
