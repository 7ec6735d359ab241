/**
 * What of a dashboard file is drawn, from one table that `masthead check dashboards` reads too.
 *
 * `features.json` lists panel types with their options, transformations, variables and the rest. A
 * rule of an option is the list of values that are known, `reducers` for names of calculations,
 * `any`, or `cosmetic` for what changes looks alone and is left to this application. The rule of
 * `*` is that of every option without one: Grafana itself passes over a field's custom options where
 * the type of the panel has none. What no rule covers is named as not supported. The walk is the same as in Rust
 * (`crates/masthead/src/commands/check/dashboards/`), and a test of each side compares both with
 * the same expected answers.
 */

import { isObject, type Json } from '../../lib/json';
import table from './features.json';

export type Rule = string | readonly (string | number | boolean)[];
export type Rules = Readonly<Record<string, Rule>>;

type Table = {
  readonly newestSchema: number;
  readonly panels: Readonly<Record<string, { readonly options: Rules; readonly custom: Rules }>>;
  readonly legacyPanels: readonly string[];
  readonly transformations: Readonly<Record<string, Rules>>;
  readonly variables: readonly string[];
  readonly variableQueries: readonly string[];
  readonly formats: readonly string[];
  readonly reducers: readonly string[];
  readonly sources: readonly string[];
  readonly field: readonly string[];
  readonly colors: readonly string[];
  readonly mappings: readonly string[];
  readonly matchers: readonly string[];
};

export const FEATURES: Table = table as unknown as Table;

/** Says what in the options no rule covers, as `path` or `path = value`. */
export function unknownOptions(of: unknown, rules: Rules, prefix = ''): string[] {
  if (of === null || of === undefined) return [];
  const rule = rules[prefix] ?? (prefix === '' ? undefined : rules['*']);
  if (rule !== undefined) return unknownValues(of, rule).map((v) => `${prefix} = ${v}`);
  if (!isObject(of)) return [prefix];
  return Object.keys(of)
    .sort()
    .flatMap((key) => unknownOptions(of[key], rules, prefix === '' ? key : `${prefix}.${key}`));
}

function unknownValues(of: unknown, rule: Rule): string[] {
  if (rule === 'any' || rule === 'cosmetic') return [];
  const known = rule === 'reducers' ? isReducer : (v: unknown) => rule.includes(v as string);
  return (Array.isArray(of) ? of : [of])
    .filter((v) => v !== null && !known(v))
    .map((v) => JSON.stringify(v));
}

/** The name of a calculation; `p95` and its kin are percentiles. */
export function isReducer(of: unknown): boolean {
  return typeof of === 'string' && (FEATURES.reducers.includes(of) || /^p\d{1,2}$/.test(of));
}

/** Formats of variables in any text of a file that are not known. */
export function unknownFormats(of: unknown, found = new Set<string>()): Set<string> {
  if (typeof of === 'string') {
    for (const [, braced, square] of of.matchAll(
      /\$\{\w+(?:\.[^:^}]+)?:([^}:]+)[^}]*\}|\[\[\w+:(\w+)\]\]/g,
    )) {
      const format = braced ?? square ?? '';
      if (!FEATURES.formats.includes(format)) found.add(format);
    }
  } else if (Array.isArray(of)) {
    for (const one of of) unknownFormats(one, found);
  } else if (isObject(of)) {
    for (const one of Object.values(of as Json)) unknownFormats(one, found);
  }
  return found;
}
