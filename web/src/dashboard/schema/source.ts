/**
 * Data sources of a file: an object with type and uid, a name, a variable, or an input that the
 * export left open (`${DS_PROMETHEUS}`), which is resolved by its plugin instead of failing.
 */

import { isObject, type Json, object, objects, text } from '../../lib/json';
import type { SourceKind, SourceRef } from './model';

/** Names that stand for a data source, with its plugin's kind. */
export type Sources = {
  /** Left open by an export, such as `DS_PROMETHEUS`. */
  readonly inputs: ReadonlyMap<string, string>;
  /** Variables of the dashboard. */
  readonly variables: ReadonlyMap<string, string>;
};

export function sourcesIn(json: Json): Sources {
  const inputs = objects(json, '__inputs').filter((input) => text(input, 'type') === 'datasource');
  const variables = objects(object(json, 'templating'), 'list').filter(
    (variable) => text(variable, 'type') === 'datasource',
  );
  return {
    inputs: new Map(inputs.map((i) => [text(i, 'name') ?? '', text(i, 'pluginId') ?? ''])),
    variables: new Map(variables.map((v) => [text(v, 'name') ?? '', text(v, 'query') ?? ''])),
  };
}

export function readSource(of: unknown, sources: Sources): SourceRef {
  if (isObject(of)) {
    const uid = text(of, 'uid');
    const type = text(of, 'type') ?? '';
    if (uid !== undefined && (type === '' || uid.startsWith('-- '))) return byName(uid, sources);
    const kind = kindOf(type);
    const input = sources.inputs.get(variableName(uid ?? '') ?? '');
    if (input !== undefined) return { kind: kindOf(input) };
    return uid === undefined ? { kind } : { kind, uid };
  }
  return typeof of === 'string' && of !== '' ? byName(of, sources) : { kind: 'prometheus' };
}

function byName(name: string, sources: Sources): SourceRef {
  const variable = variableName(name);
  if (variable !== undefined) {
    const input = sources.inputs.get(variable);
    if (input !== undefined) return { kind: kindOf(input) };
    const chosen = sources.variables.get(variable);
    if (chosen !== undefined) return { kind: kindOf(chosen), uid: name };
    return { kind: /loki|logs?/i.test(variable) ? 'loki' : 'prometheus', uid: name };
  }
  if (name === '-- Grafana --' || name === 'grafana') return { kind: 'grafana', uid: name };
  if (name === '-- Mixed --') return { kind: 'mixed', uid: name };
  if (name === '-- Dashboard --') return { kind: 'dashboard', uid: name };
  if (/loki/i.test(name)) return { kind: 'loki', uid: name };
  return { kind: 'prometheus', uid: name };
}

/** The name in `$name`, `${name}` or `[[name]]`. */
export function variableName(text: string): string | undefined {
  const found = /^(?:\$(\w+)|\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\])$/.exec(text.trim());
  return found?.[1] ?? found?.[2] ?? found?.[3];
}

export function kindOf(type: string): SourceKind {
  switch (type) {
    case 'prometheus':
    case 'loki':
      return type;
    case 'datasource':
    case 'grafana':
      return 'grafana';
    case 'mixed':
      return 'mixed';
    case '':
      return 'unknown';
    default:
      // Amazon's and other builds of the Prometheus data source speak the same API.
      return /prometheus|mimir|thanos|victoriametrics/i.test(type) ? 'prometheus' : 'unknown';
  }
}

/** What a file calls a data source, for people. */
export function sourceName(of: unknown): string {
  return isObject(of) ? (text(of, 'type') ?? 'unknown') : String(of ?? 'unknown');
}
