/**
 * The choices of a variable: what its query answered, filtered by its expression, sorted; and
 * which of them are chosen. Pure.
 */

import { formatDuration } from '../../lib/time/duration';
import { regexOf } from '../fields/apply';
import type { Choice, Variable } from '../schema/model';
import { references } from './interpolate';

export const ALL = '$__all';

/** Applies the variable's expression: a first group is the value, groups `text` and `value` are these. */
export function filterChoices(found: readonly string[], regex: string): Choice[] {
  if (regex === '') return distinct(found.map((value) => ({ value, text: value })));
  const pattern = regexOf(regex);
  if (pattern === undefined) return [];
  const choices = found.flatMap((one): Choice[] => {
    const match = pattern.exec(one);
    if (match === null) return [];
    const { text, value } = match.groups ?? {};
    if (text !== undefined || value !== undefined)
      return [{ value: value ?? text ?? '', text: text ?? value ?? '' }];
    const whole = match[1] ?? match[0];
    return [{ value: whole, text: whole }];
  });
  return distinct(choices);
}

function distinct(choices: readonly Choice[]): Choice[] {
  const seen = new Set<string>();
  return choices.filter(({ value }) => {
    if (seen.has(value)) return false;
    seen.add(value);
    return true;
  });
}

/** Sorts by the numbers of a dashboard: 1 and 2 by letters, 3 and 4 by numbers, 5 and 6 without case, 7 and 8 naturally. */
export function sortChoices(choices: readonly Choice[], sort: number): readonly Choice[] {
  if (sort === 0) return choices;
  const number = (text: string) => Number(/-?\d+(\.\d+)?/.exec(text)?.[0] ?? Number.NaN);
  const compare = (a: Choice, b: Choice) => {
    switch (Math.ceil(sort / 2)) {
      case 2: {
        const [x, y] = [number(a.text), number(b.text)];
        return Number.isNaN(x) || Number.isNaN(y)
          ? Number(Number.isNaN(x)) - Number(Number.isNaN(y))
          : x - y;
      }
      case 3:
        return a.text.toLowerCase() < b.text.toLowerCase() ? -1 : 1;
      case 4:
        return a.text.localeCompare(b.text, undefined, { numeric: true });
      default:
        return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
    }
  };
  const sorted = [...choices].sort(compare);
  return sort % 2 === 0 ? sorted.reverse() : sorted;
}

/** `a, b : c, key : value` as a custom variable lists its choices; a backslash keeps a comma. */
export function customChoices(query: string): Choice[] {
  const parts = query.match(/(?:\\,|[^,])+/g) ?? [];
  return parts.flatMap((part) => {
    const plain = part.replace(/\\,/g, ',').trim();
    if (plain === '') return [];
    const [, text, value] = /^(.+?)\s+:\s+(.+)$/.exec(plain) ?? [];
    return [
      text === undefined || value === undefined ? { value: plain, text: plain } : { value, text },
    ];
  });
}

/** `1m,5m` and `auto`, which is written as the interval that fits the range. */
export function intervalChoices(variable: Variable, rangeMs: number): Choice[] {
  const auto = variable.auto;
  const plain = customChoices(variable.query.replaceAll('"', ''));
  if (auto === undefined) return plain;
  const name = `$__auto_interval_${variable.name}`;
  return [
    { value: name, text: `auto (${formatDuration(Math.max(rangeMs / auto.count, 1))})` },
    ...plain,
  ];
}

/** What is chosen: the address first, then the file, then the first choice. */
export function chosen(
  variable: Variable,
  choices: readonly Choice[],
  fromUrl: readonly string[],
): readonly string[] {
  const known = (value: string) =>
    (variable.includeAll && (value === ALL || value === 'All')) ||
    choices.some((c) => c.value === value);
  const free =
    variable.kind === 'textbox' || variable.kind === 'constant' || variable.kind === 'adhoc';
  const wanted = fromUrl.length > 0 ? fromUrl : variable.current;
  // A value in the address is taken even if no choice has it: the series may be gone for now.
  const kept = free || fromUrl.length > 0 ? wanted : wanted.filter(known);
  const values = kept.map((value) => (value === 'All' && variable.includeAll ? ALL : value));
  if (values.length > 0) return variable.multi ? values : values.slice(0, 1);
  if (free) return variable.query === '' ? [] : [variable.query];
  if (variable.includeAll) return [ALL];
  return choices.slice(0, 1).map((c) => c.value);
}

/** The values that stand for the choice; all of them for `All`, unless it has a value of its own. */
export function valuesOf(
  variable: Variable,
  choices: readonly Choice[],
  current: readonly string[],
): string | readonly string[] {
  if (current.includes(ALL)) return variable.allValue ?? choices.map((c) => c.value);
  if (variable.multi) return current;
  return current[0] ?? '';
}

/** Variables in an order in which each comes after those that its query refers to. */
export function inOrder(variables: readonly Variable[]): readonly Variable[] {
  const byName = new Map(variables.map((v) => [v.name, v]));
  const done = new Set<string>();
  const order: Variable[] = [];
  const visit = (variable: Variable, path: ReadonlySet<string>) => {
    if (done.has(variable.name) || path.has(variable.name)) return;
    for (const name of dependencies(variable)) {
      const other = byName.get(name);
      if (other !== undefined) visit(other, new Set([...path, variable.name]));
    }
    done.add(variable.name);
    order.push(variable);
  };
  for (const variable of variables) visit(variable, new Set());
  return order;
}

export function dependencies(variable: Variable): readonly string[] {
  const texts = [
    variable.query,
    variable.regex,
    variable.source.uid ?? '',
    variable.lokiQuery?.stream ?? '',
  ];
  return references(texts.join(' '));
}
