/**
 * Finding the choices of all variables: each asks as soon as those it refers to are known, and those
 * that do not refer to each other ask at once. What asks is passed in.
 */

import type { Values } from '../run';
import type { Choice, Variable } from '../schema/model';
import {
  ALL,
  chosen,
  customChoices,
  dependencies,
  filterChoices,
  inOrder,
  intervalChoices,
  sortChoices,
  valuesOf,
} from './choices';
import { interpolate } from './interpolate';

export type VariableState = {
  readonly variable: Variable;
  readonly choices: readonly Choice[];
  readonly current: readonly string[];
  readonly error: string | undefined;
};

export type Finder = (variable: Variable, query: string) => Promise<readonly string[]>;

const SOURCES: Readonly<Record<string, Choice>> = {
  prometheus: { value: 'prometheus', text: 'Prometheus' },
  loki: { value: 'loki', text: 'Loki' },
};

/** Resolves every variable, in the order of the file. */
export async function resolveVariables(
  variables: readonly Variable[],
  fromUrl: (name: string) => readonly string[],
  rangeMs: number,
  find: Finder,
): Promise<readonly VariableState[]> {
  const pending = new Map<string, Promise<VariableState>>();
  for (const variable of inOrder(variables)) {
    const needed = dependencies(variable).flatMap((name) => pending.get(name) ?? []);
    pending.set(
      variable.name,
      Promise.all(needed).then((states) =>
        resolve(variable, valuesIn(states), fromUrl(variable.name), rangeMs, find),
      ),
    );
  }
  return Promise.all(variables.flatMap((v) => pending.get(v.name) ?? []));
}

/** How states answer for the names of variables. */
export function valuesIn(states: readonly VariableState[]): Values {
  return (name) => {
    const state = states.find((s) => s.variable.name === name);
    if (state === undefined) return undefined;
    const { variable, choices, current } = state;
    const text = current.includes(ALL)
      ? ['All']
      : current.map((value) => choices.find((c) => c.value === value)?.text ?? value);
    return { value: valuesOf(variable, choices, current), text, chosen: current };
  };
}

async function resolve(
  variable: Variable,
  known: Values,
  fromUrl: readonly string[],
  rangeMs: number,
  find: Finder,
): Promise<VariableState> {
  const write = (text: string) =>
    interpolate(text, { lookup: known }, variable.source.kind === 'loki' ? 'loki' : 'prometheus');
  const state = (choices: readonly Choice[], error?: string): VariableState => ({
    variable,
    choices,
    current: chosen(variable, choices, fromUrl),
    error,
  });
  switch (variable.kind) {
    case 'query': {
      const loki = variable.lokiQuery;
      const query =
        loki === undefined
          ? variable.query
          : loki.label === ''
            ? 'label_names()'
            : `label_values(${loki.stream}${loki.stream === '' ? '' : ', '}${loki.label})`;
      try {
        const found = await find(variable, write(query));
        return state(sortChoices(filterChoices(found, write(variable.regex)), variable.sort));
      } catch (error) {
        return state([], error instanceof Error ? error.message : String(error));
      }
    }
    case 'custom':
      return state(customChoices(variable.query));
    case 'interval':
      return state(intervalChoices(variable, rangeMs));
    case 'datasource': {
      const source = SOURCES[variable.query];
      return state(source === undefined ? [] : [source]);
    }
    case 'switch':
      return state(variable.choices);
    case 'constant':
    case 'textbox':
    case 'adhoc':
      return state([]);
  }
}
