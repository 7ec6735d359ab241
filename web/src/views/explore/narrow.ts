/** LogQL texts that clicks make: a query narrowed to a field, and the volume of its lines. Pure. */

import type { Detail } from '../../panels/logs/prepare';

/** Whether the expression finds lines; everything else is a metric. */
export function findsLines(expr: string): boolean {
  return expr.trim().startsWith('{');
}

/** The expression with one more condition on a field; a member of a JSON line is parsed first. */
export function narrowed(expr: string, { name, value, origin }: Detail, keep: boolean): string {
  // Names that LogQL cannot write are written as its parsers write them.
  const safe = name.replace(/[^A-Za-z0-9_:]/g, '_').replace(/^(\d)/, '_$1');
  const parse = origin !== 'line' || /\|\s*(json|logfmt)\b/.test(expr) ? '' : ' | json';
  return `${expr.trim()}${parse} | ${safe}${keep ? '=' : '!='}${JSON.stringify(value)}`;
}

/** Lines by level over time; nothing if the expression is a metric already. */
export function volumeOf(expr: string): string | undefined {
  if (!findsLines(expr)) return undefined;
  return `sum by (detected_level) (count_over_time(${expr.trim()} [$__auto]))`;
}
