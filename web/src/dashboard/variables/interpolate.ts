/**
 * Writing variables into a text: `$name`, `${name}`, `${name:format}`, `${name.field}`,
 * `[[name]]`, `[[name:format]]`. Names that are not known are left as they stand.
 */

import { formatValues, type Language, type VariableValue } from './format';

export type Written = {
  readonly value: VariableValue;
  readonly text: readonly string[];
  /** What is chosen as an address says it. */
  readonly chosen?: readonly string[];
};

export type Scope = {
  /** The values of a variable with the texts shown for them; nothing if there is none. */
  readonly lookup: (name: string) => Written | undefined;
};

const REFERENCE = /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}/g;

export function interpolate(template: string, scope: Scope, language: Language = 'none'): string {
  return template.replace(
    REFERENCE,
    (
      whole: string,
      plain?: string,
      square?: string,
      squareFormat?: string,
      braced?: string,
      _path?: string,
      bracedFormat?: string,
    ) => {
      const name = plain ?? square ?? braced ?? '';
      const found = scope.lookup(name);
      if (found === undefined) return whole;
      const format = squareFormat ?? bracedFormat;
      return formatValues(
        found.value,
        format,
        { name, text: found.text, chosen: found.chosen },
        language,
      );
    },
  );
}

/** The names of variables that a text refers to, each once. */
export function references(template: string): string[] {
  const names = [...template.matchAll(REFERENCE)].map((m) => m[1] ?? m[2] ?? m[4] ?? '');
  return [...new Set(names)];
}
