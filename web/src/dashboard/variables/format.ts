/**
 * How the values of a variable are written into a query: `${name:format}`.
 *
 * The formats are those of Grafana's documentation ("Advanced variable format options"), one line
 * each in the table below.
 */

import { byPattern } from '../../lib/time/pattern';

export type VariableValue = string | readonly string[];

/** What a format may look at beside the values. */
export type FormatContext = {
  readonly name: string;
  /** The texts shown for the values, for `:text`. */
  readonly text: readonly string[];
  /** What is chosen as an address says it, where `All` is one word. */
  readonly chosen?: readonly string[] | undefined;
};

type Format = (values: readonly string[], context: FormatContext, more: string) => string;

const quoted = (text: string) => `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"`;

/** Escapes what is special in RE2; a list becomes an alternative. */
export function regexEscape(text: string): string {
  return text.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&');
}

const regex: Format = (values) => {
  const escaped = values.map(regexEscape);
  return escaped.length === 1 ? (escaped[0] ?? '') : `(${escaped.join('|')})`;
};

const glob: Format = (values) => (values.length > 1 ? `{${values.join(',')}}` : values.join(','));

const FORMATS: Readonly<Record<string, Format>> = {
  csv: (values) => values.join(','),
  date: (values, _, more) => values.map((v) => date(v, more)).join(','),
  distributed: (values, { name }) => values.map((v, i) => (i === 0 ? v : `${name}=${v}`)).join(','),
  doublequote: (values) => values.map(quoted).join(','),
  glob,
  json: (values) => JSON.stringify(values.length === 1 ? values[0] : values),
  lucene: (values) => {
    const escaped = (v: string) => v.replace(/([!*+\-=<>\s&|()[\]{}^~?:\\/"])/g, '\\$1');
    return values.length === 1
      ? escaped(values[0] ?? '')
      : `(${values.map((v) => `"${escaped(v)}"`).join(' OR ')})`;
  },
  percentencode: (values, context) => encodeURIComponent(glob(values, context, '')),
  pipe: (values) => values.join('|'),
  queryparam: (values, { name, chosen }) =>
    (chosen ?? values).map((v) => `var-${name}=${encodeURIComponent(v)}`).join('&'),
  raw: (values) => values.join(','),
  regex,
  singlequote: (values) => values.map((v) => `'${v.replace(/'/g, "\\'")}'`).join(','),
  sqlstring: (values) => values.map((v) => `'${v.replace(/'/g, "''")}'`).join(','),
  text: (_, { text }) => text.join(' + '),
  uriencode: (values) => encodeURI(values.join(',')),
};

export const FORMAT_NAMES: readonly string[] = Object.keys(FORMATS);

/** A moment in milliseconds as `iso`, as `seconds`, or by a pattern such as `YYYY-MM`. */
function date(ms: string, how: string): string {
  const at = Number(ms);
  if (ms.trim() === '' || !Number.isFinite(at)) return ms;
  if (how === 'seconds') return String(Math.round(at / 1_000));
  return how === '' || how === 'iso' ? new Date(at).toISOString() : byPattern(at, how, false);
}

/** What a query language does with values when no format is given. */
export type Language = 'prometheus' | 'loki' | 'none';

/**
 * Values in the given format. Without one, PromQL and LogQL take a single value as it is and
 * several as an alternative for `=~`, escaped for a string in double quotes, as Grafana's data
 * sources do.
 */
export function formatValues(
  value: VariableValue,
  format: string | undefined,
  context: FormatContext,
  language: Language,
): string {
  const values = typeof value === 'string' ? [value] : value;
  const [kind = '', ...more] = (format ?? '').split(':');
  const known = FORMATS[kind];
  if (known !== undefined) return known(values, context, more.join(':'));
  if (language === 'none') return glob(values, context, '');
  if (typeof value === 'string') return value;
  const escaped = values.map((v) => regexEscape(v).replace(/\\/g, '\\\\'));
  return escaped.length === 1 ? (escaped[0] ?? '') : `(${escaped.join('|')})`;
}
