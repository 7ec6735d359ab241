/**
 * From metrics to the logs of the same thing and back: which labels of the one are labels of the
 * other. Pure but for `find`, which is passed in.
 *
 * A label of the same name and value is the best sign. Names that mean the same service in the two
 * worlds (`job` here, `service_name` there) are tried after that.
 */

import type { Labels } from '../frame/frame';
import { isObject, objects } from '../lib/json';
import { regexEscape } from './variables/format';

/** Names of one and the same thing, the most telling first. */
const KIN: readonly (readonly string[])[] = [
  ['service_name', 'service', 'app', 'job', 'container', 'app_kubernetes_io_name'],
  ['namespace', 'kubernetes_namespace', 'exported_namespace'],
  ['pod', 'pod_name', 'exported_pod'],
  ['node', 'node_name', 'host', 'hostname', 'instance'],
];

/** Labels that say how a number was made, not what it is about. */
const NOT_A_PLACE = new Set(['__name__', 'le', 'quantile', 'detected_level', 'level', 'filename']);

export type Find = {
  readonly names: () => Promise<readonly string[]>;
  readonly values: (name: string) => Promise<readonly string[]>;
};

const OPERATORS = new Set(['=', '!=', '=~', '!~']);

/** The selectors in the tree of an expression, each written as an expression. */
export function selectors(tree: unknown): readonly string[] {
  if (Array.isArray(tree)) return tree.flatMap(selectors);
  if (!isObject(tree)) return [];
  if (tree.type !== 'vectorSelector' && tree.type !== 'matrixSelector')
    return Object.values(tree).flatMap(selectors);
  const conditions = objects(tree, 'matchers').flatMap((m) => {
    const { name, type, value } = m;
    if (typeof name !== 'string' || typeof value !== 'string') return [];
    return typeof type === 'string' && OPERATORS.has(type)
      ? [`${name}${type}${JSON.stringify(value)}`]
      : [];
  });
  return conditions.length === 0 ? [] : [`{${conditions.join(', ')}}`];
}

/** What labels may be: one value, or several. */
export type Gathered = Readonly<Record<string, readonly string[]>>;

/** A label with more values tells too little. */
const VALUES_MAX = 20;

/** The labels that all of these have, with all their values. */
export function gathered(all: readonly Labels[]): Gathered {
  const found = new Map<string, Set<string>>();
  for (const name of Object.keys(all[0] ?? {}))
    if (all.every((labels) => name in labels))
      found.set(name, new Set(all.map((labels) => labels[name] ?? '')));
  return Object.fromEntries(
    [...found]
      .filter(([, values]) => values.size <= VALUES_MAX)
      .map(([name, values]) => [name, [...values].sort()]),
  );
}

/** Labels of the other world for the same thing; none if nothing there is known by these. */
export async function counterpart(labels: Gathered, find: Find): Promise<Gathered> {
  const known = new Set(await find.names());
  const shared = async (name: string, values: readonly string[]) => {
    if (!known.has(name)) return [];
    const there = new Set(await find.values(name));
    return values.filter((value) => there.has(value));
  };
  const found: Record<string, readonly string[]> = {};
  for (const [name, values] of Object.entries(labels)) {
    if (NOT_A_PLACE.has(name) || name.startsWith('__')) continue;
    const both = await shared(name, values);
    if (both.length > 0) found[name] = both;
  }
  for (const kin of KIN) {
    if (kin.some((name) => name in found)) continue;
    const values = kin.map((name) => labels[name]).find((v) => v !== undefined);
    if (values === undefined) continue;
    for (const name of kin) {
      const both = await shared(name, values);
      if (both.length === 0) continue;
      found[name] = both;
      break;
    }
  }
  return found;
}

/** A selector of either language. */
export function selectorOf(labels: Gathered): string {
  const conditions = Object.keys(labels)
    .sort()
    .map((name) => {
      const values = labels[name] ?? [];
      return values.length === 1
        ? `${name}=${JSON.stringify(values[0])}`
        : `${name}=~${JSON.stringify(values.map(regexEscape).join('|'))}`;
    });
  return `{${conditions.join(', ')}}`;
}

/** The lines of these labels; of everything that has a service's name where there are none. */
export function logsOf(labels: Gathered): string {
  return Object.keys(labels).length === 0 ? '{service_name=~".+"}' : selectorOf(labels);
}

/** Metrics that tell how a service fares, the most telling first. */
const TELLING = [/^http_.*requests?_total$/, /requests?_total$/, /_duration_seconds_count$/];

/** An expression about the series of these labels, of which the names of metrics are known. */
export function metricsOf(labels: Gathered, names: readonly string[]): string {
  const telling = TELLING.map((pattern) => names.find((name) => pattern.test(name)));
  const name = telling.find((found) => found !== undefined);
  const selector = selectorOf(labels);
  if (name === undefined) return names.includes('up') ? `up${selector}` : selector;
  const by = ['status', 'code', 'status_code'].join(', ');
  return `sum by (${by}) (rate(${name}${selector}[$__rate_interval]))`;
}

/** Whether the name of a field says that its value belongs to one request. */
export function isRequestId(name: string): boolean {
  return /^(x?(request|correlation|trace|transaction|session)id|reqid|rid)$/.test(
    name.toLowerCase().replace(/[-_.]/g, ''),
  );
}

/** All lines that hold the id, of every service that is known by the same labels. */
export function linesOfRequest(stream: Labels, id: string): string {
  const wide = ['namespace', 'cluster', 'job', 'service_name'].find((name) => name in stream);
  const name = wide ?? Object.keys(stream).sort()[0] ?? 'service_name';
  return `{${name}=~".+"} |= ${JSON.stringify(id)}`;
}
