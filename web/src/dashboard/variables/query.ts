/** Asking the server for the choices of a query variable. */

import type { Ask } from '../../api/http';
import * as loki from '../../api/loki';
import * as prometheus from '../../api/prometheus';
import { formatLabels } from '../../frame/frame';
import type { TimeRange } from '../../lib/time/relative';
import type { SourceKind } from '../schema/model';

/** What a query variable asks for. */
export type VariableQuery =
  | { readonly ask: 'names'; readonly match?: string }
  | { readonly ask: 'values'; readonly label: string; readonly match?: string }
  | { readonly ask: 'metrics'; readonly pattern: string }
  | { readonly ask: 'result'; readonly expr: string }
  | { readonly ask: 'series'; readonly match: string };

/** Reads `label_values(up, job)` and its kin; anything else is a series selector. */
export function parseVariableQuery(query: string): VariableQuery {
  const trimmed = query.trim();
  const [, name = '', inside = ''] = /^(\w+)\(([\s\S]*)\)\s*$/.exec(trimmed) ?? [];
  switch (name) {
    case 'label_names':
      return inside.trim() === '' ? { ask: 'names' } : { ask: 'names', match: inside.trim() };
    case 'label_values': {
      // The label is what follows the last comma outside of braces.
      const cut = inside.lastIndexOf(',');
      const label = inside.slice(cut + 1).trim();
      if (cut < 0 || label.includes('}')) return { ask: 'values', label: inside.trim() };
      const match = inside.slice(0, cut).trim();
      return match === '' ? { ask: 'values', label } : { ask: 'values', label, match };
    }
    case 'metrics':
      return { ask: 'metrics', pattern: inside.trim() };
    case 'query_result':
      return { ask: 'result', expr: inside.trim() };
    default:
      return { ask: 'series', match: trimmed };
  }
}

/** Limits as Grafana asks for them: a variable with more choices is of no use. */
const LIMIT = 40_000;

export async function findChoices(
  query: VariableQuery,
  kind: SourceKind,
  range: TimeRange,
  how: Ask,
): Promise<readonly string[]> {
  if (kind === 'loki') return findLokiChoices(query, range, how);
  const params = { start: range.from / 1_000, end: range.to / 1_000, limit: LIMIT };
  switch (query.ask) {
    case 'names':
      return prometheus.labelNames({ ...params, 'match[]': query.match }, how);
    case 'values':
      return prometheus.labelValues(query.label, { ...params, 'match[]': query.match }, how);
    case 'metrics': {
      const names = await prometheus.labelValues('__name__', params, how);
      const pattern = new RegExp(query.pattern);
      return names.filter((name) => pattern.test(name));
    }
    case 'result': {
      const { frames } = await prometheus.queryInstant({ expr: query.expr, at: range.to }, how);
      return frames.map((f) => {
        const value = f.fields[1];
        const time = f.fields[0]?.values[0];
        return `${formatLabels(value?.labels ?? {})} ${String(value?.values[0])} ${String(time)}`;
      });
    }
    case 'series':
      return (await prometheus.series({ ...params, 'match[]': query.match }, how)).map(
        formatLabels,
      );
  }
}

async function findLokiChoices(
  query: VariableQuery,
  range: TimeRange,
  how: Ask,
): Promise<readonly string[]> {
  const params = { start: loki.nanos(range.from), end: loki.nanos(range.to) };
  switch (query.ask) {
    case 'names':
      return loki.labelNames(params, how);
    case 'values':
      return loki.labelValues(query.label, { ...params, query: query.match }, how);
    case 'series':
      return (await loki.series({ ...params, match: query.match }, how)).map(formatLabels);
    default:
      return [];
  }
}
