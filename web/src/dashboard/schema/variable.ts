/** One variable of a dashboard file. */

import {
  defined,
  flag,
  isObject,
  type Json,
  numeric,
  object,
  objects,
  text,
  texts,
} from '../../lib/json';
import { FEATURES } from './features';
import type { Choice, Variable, VariableKind } from './model';
import type { Context } from './read';
import { readSource, sourceName } from './source';

export function readVariable(json: Json, context: Context): Variable | undefined {
  const name = text(json, 'name') ?? '';
  const kind = text(json, 'type') ?? '';
  if (!FEATURES.variables.includes(kind)) {
    context.report(`variable ${name}`, `variable type ${kind === '' ? '(none)' : kind}`);
    return undefined;
  }
  const query = json.query;
  const source = readSource(json.datasource, context.sources);
  if (kind === 'query' && !FEATURES.sources.includes(source.kind))
    context.report(`variable ${name}`, `data source ${sourceName(json.datasource)}`);
  const loki = isObject(query) && typeof query.type === 'number' && 'stream' in query;
  const written = isObject(query)
    ? (text(query, 'query') ?? text(query, 'expr') ?? '')
    : (text(json, 'query') ?? text(json, 'definition') ?? '');
  const asked = /^\s*(\w+)\s*\(/.exec(written)?.[1];
  if (kind === 'query' && asked !== undefined && !FEATURES.variableQueries.includes(asked))
    context.report(`variable ${name}`, `variable query ${asked}()`);
  return defined({
    name,
    kind: kind as VariableKind,
    label: text(json, 'label') || name,
    hide: hidden(json.hide),
    query: written,
    lokiQuery: loki
      ? {
          label: query.type === 1 ? (text(query, 'label') ?? '') : '',
          stream: text(query, 'stream') ?? '',
        }
      : undefined,
    regex: text(json, 'regex') ?? '',
    sort: numeric(json, 'sort') ?? 0,
    multi: flag(json, 'multi'),
    includeAll: flag(json, 'includeAll'),
    allValue: text(json, 'allValue') || undefined,
    refreshOnTime: json.refresh === 2,
    source,
    choices: objects(json, 'options').map(choice),
    current: current(object(json, 'current')),
    auto: flag(json, 'auto')
      ? { count: numeric(json, 'auto_count') ?? 30, min: text(json, 'auto_min') ?? '10s' }
      : undefined,
  }) as Variable;
}

function hidden(of: unknown): Variable['hide'] {
  return of === 1 || of === 'hideLabel'
    ? 'label'
    : of === 2 || of === 'hideVariable'
      ? 'all'
      : 'none';
}

function choice(json: Json): Choice {
  const value = String(json.value ?? '');
  const shown = json.text;
  return { value, text: typeof shown === 'string' ? shown : value };
}

function current(json: Json): readonly string[] {
  const value = json.value;
  if (Array.isArray(value)) return texts(json, 'value');
  return typeof value === 'string' ? [value] : typeof value === 'number' ? [String(value)] : [];
}
