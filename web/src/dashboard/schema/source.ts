/**
 * Data sources of a file: an object with type and uid, a name, a variable, or an input that the
 * export left open (`${DS_PROMETHEUS}`), which is resolved by its plugin instead of failing.
 */

import { isObject, type Json, objects, text } from '../../lib/json';
import type { SourceKind, SourceRef } from './model';

/** `DS_PROMETHEUS` to its plugin's kind. */
export function sourcesOfInputs(json: Json): Map<string, { kind: string }> {
  const inputs = objects(json, '__inputs').filter((input) => text(input, 'type') === 'datasource');
  return new Map(
    inputs.map((input) => [text(input, 'name') ?? '', { kind: text(input, 'pluginId') ?? '' }]),
  );
}

export function readSource(of: unknown, inputs: ReadonlyMap<string, { kind: string }>): SourceRef {
  if (isObject(of)) {
    const uid = text(of, 'uid');
    const type = text(of, 'type') ?? '';
    if (uid !== undefined && type === '') return byName(uid, inputs);
    const kind = kindOf(type);
    const input = inputs.get(variableName(uid ?? '') ?? '');
    if (input !== undefined) return { kind: kindOf(input.kind) };
    return uid === undefined ? { kind } : { kind, uid };
  }
  return typeof of === 'string' && of !== '' ? byName(of, inputs) : { kind: 'prometheus' };
}

function byName(name: string, inputs: ReadonlyMap<string, { kind: string }>): SourceRef {
  const variable = variableName(name);
  if (variable !== undefined) {
    const input = inputs.get(variable);
    if (input !== undefined) return { kind: kindOf(input.kind) };
    return { kind: /loki|logs?/i.test(variable) ? 'loki' : 'prometheus', uid: name };
  }
  if (name === '-- Grafana --' || name === 'grafana') return { kind: 'grafana', uid: name };
  if (name === '-- Mixed --') return { kind: 'mixed', uid: name };
  if (name === '-- Dashboard --') return { kind: 'dashboard', uid: name };
  if (/loki/i.test(name)) return { kind: 'loki', uid: name };
  if (name === 'default' || /prom|mimir|thanos|victoria/i.test(name))
    return { kind: 'prometheus', uid: name };
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
