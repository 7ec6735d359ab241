/**
 * What may stand at a place in a LogQL expression, and asking the server for it.
 *
 * The text before the place is scanned, not parsed: while one types, it is never a whole expression.
 */

import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import * as loki from '../../api/loki';
import type { TimeRange } from '../../lib/time/relative';
import { AGGREGATIONS, DURATIONS, FILTERS, RANGES, STAGES, type Term } from './logql-terms';

/** What is wanted at the end of a text; `from` is where the word under way begins. */
export type Situation =
  | { readonly at: 'name'; readonly from: number; readonly selector: string }
  | {
      readonly at: 'value';
      readonly from: number;
      readonly label: string;
      readonly selector: string;
      /** Whether the value stands in quotes already. */
      readonly quoted: boolean;
    }
  | { readonly at: 'stage'; readonly from: number; readonly selector: string }
  | { readonly at: 'field'; readonly from: number; readonly selector: string }
  | { readonly at: 'duration'; readonly from: number }
  | { readonly at: 'filter'; readonly from: number }
  | { readonly at: 'function'; readonly from: number }
  | { readonly at: 'nothing' };

const NOTHING: Situation = { at: 'nothing' };

export function situation(before: string): Situation {
  const { open, string } = scan(before);
  const word = /[\w$]*$/.exec(before)?.[0] ?? '';
  const from = before.length - word.length;
  const top = open.at(-1);
  if (top?.mark === '{') {
    const inside = before.slice(top.at + 1, string ?? before.length);
    const label = /(\w+)\s*(?:=~|!~|!=|=)\s*$/.exec(
      string === undefined ? inside.slice(0, inside.length - word.length) : inside,
    );
    const selector = matchersBefore(inside);
    if (string !== undefined)
      return label?.[1] === undefined
        ? NOTHING
        : { at: 'value', from: string + 1, label: label[1], selector, quoted: true };
    if (label?.[1] !== undefined)
      return { at: 'value', from, label: label[1], selector, quoted: false };
    return /(^|,)\s*\w*$/.test(inside) ? { at: 'name', from, selector } : NOTHING;
  }
  if (string !== undefined) return NOTHING;
  if (top?.mark === '[') return { at: 'duration', from: top.at + 1 };
  const selector = lastSelector(before);
  const lead = before.slice(0, from);
  if (/\b(by|without)\s*\([\w\s,]*$/i.test(lead)) return { at: 'field', from, selector };
  if (/\|\s*(unwrap|keep|drop|label_format)\s+([\w\s,=]*,\s*)?$/i.test(lead))
    return { at: 'field', from, selector };
  if (/\|\s*$/.test(lead)) return { at: 'stage', from, selector };
  if (/[}\])"`]\s*$/.test(lead) && word === '')
    return /[}"`]\s*$/.test(lead) ? { at: 'filter', from } : NOTHING;
  if (/(^|[(+\-*/^%,=<>]|\b(?:and|or|unless|bool))\s*$/i.test(lead))
    return { at: 'function', from };
  return NOTHING;
}

type Open = { readonly mark: string; readonly at: number };

/** The brackets still open, and where an open string begins. */
function scan(text: string): { open: readonly Open[]; string: number | undefined } {
  const open: Open[] = [];
  let quote = '';
  let start: number | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? '';
    if (quote !== '') {
      if (letter === '\\' && quote === '"') at += 1;
      else if (letter === quote) [quote, start] = ['', undefined];
    } else if (letter === '"' || letter === '`') [quote, start] = [letter, at];
    else if ('{[('.includes(letter)) open.push({ mark: letter, at });
    else if ('}])'.includes(letter)) open.pop();
  }
  return { open, string: start };
}

/** The whole conditions of a selector that is being written, as a selector. */
function matchersBefore(inside: string): string {
  const whole = inside.match(/\w+\s*(?:=~|!~|!=|=)\s*(?:"(?:[^"\\]|\\.)*"|`[^`]*`)/g) ?? [];
  return whole.length === 0 ? '' : `{${whole.join(', ')}}`;
}

function lastSelector(text: string): string {
  const all = text.match(/\{(?:[^{}"`]|"(?:[^"\\]|\\.)*"|`[^`]*`)*\}/g) ?? [];
  return all.at(-1) ?? '';
}

const options = (terms: readonly Term[], type: string): Completion[] =>
  terms.map(({ label, info, example }) => ({
    label,
    type,
    info: example === undefined ? info : `${info} For example: ${example}`,
  }));

const words = (names: readonly string[], type: string): Completion[] =>
  names.slice(0, CHOICES_MAX).map((label) => ({ label, type }));

/** A list of more is searched by typing on, when the server is asked no more. */
const CHOICES_MAX = 2_000;

/** A completion source that asks the server for labels, values and fields in the range. */
export function logqlCompletion(range: () => TimeRange) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const found = situation(context.state.sliceDoc(0, context.pos));
    if (found.at === 'nothing') return null;
    const empty = found.from === context.pos;
    // Where anything may follow, one asks for the list; after a bracket or a bar it comes by itself.
    if (empty && !context.explicit && (found.at === 'function' || found.at === 'filter'))
      return null;
    return { from: found.from, options: await choices(found, range()), validFor: /^[\w.:/-]*$/ };
  };
}

async function choices(of: Situation, range: TimeRange): Promise<Completion[]> {
  const params = { start: loki.nanos(range.from), end: loki.nanos(range.to) };
  const asked = (query: string) => ({ ...params, query: query === '' ? undefined : query });
  try {
    switch (of.at) {
      case 'name':
        return words(await loki.labelNames(asked(of.selector)), 'property');
      case 'value': {
        const values = await loki.labelValues(of.label, asked(of.selector));
        return values.slice(0, CHOICES_MAX).map((value) => {
          const text = JSON.stringify(value);
          return {
            label: value,
            type: 'text',
            apply: of.quoted ? text.slice(1, -1) : text,
          };
        });
      }
      case 'stage':
        return [
          ...options(STAGES, 'keyword'),
          ...words(await fields(of.selector, params), 'property'),
        ];
      case 'field':
        return words(await fields(of.selector, params), 'property');
      case 'filter':
        return options(FILTERS, 'operator');
      case 'duration':
        return words(DURATIONS, 'constant');
      case 'function':
        return [...options(RANGES, 'function'), ...options(AGGREGATIONS, 'function')];
      case 'nothing':
        return [];
    }
  } catch {
    // Completion is a help: without an answer there is none.
    return of.at === 'stage' ? options(STAGES, 'keyword') : [];
  }
}

/** Labels of the streams and what their lines hold. */
async function fields(selector: string, params: { start: string; end: string }) {
  const asked = { ...params, query: selector === '' ? undefined : selector };
  const [labels, detected] = await Promise.all([
    loki.labelNames(asked),
    selector === '' ? [] : loki.detectedFields({ ...params, query: selector }),
  ]);
  return [...new Set([...labels, ...detected])].sort();
}
