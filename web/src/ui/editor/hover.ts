/** What a word of an expression means, shown while the pointer rests on it. */

import { hoverTooltip } from '@codemirror/view';
import {
  aggregateOpTerms,
  functionIdentifierTerms,
} from '@prometheus-io/codemirror-promql/dist/esm/complete/promql.terms';
import { metadata } from '../../api/prometheus';
import { AGGREGATIONS, RANGES, STAGES } from './logql-terms';

export type Meaning = { readonly head: string; readonly text: string };

/** The word around a place in a text. */
export function wordAt(text: string, at: number): { from: number; to: number } | undefined {
  const before = /[\w:]*$/.exec(text.slice(0, at))?.[0].length ?? 0;
  const after = /^[\w:]*/.exec(text.slice(at))?.[0].length ?? 0;
  return before + after === 0 ? undefined : { from: at - before, to: at + after };
}

function promqlMeaning(word: string): Meaning | undefined {
  const found = [...functionIdentifierTerms, ...aggregateOpTerms].find((t) => t.label === word);
  return found === undefined ? undefined : { head: `${word}: ${found.detail}`, text: found.info };
}

function logqlMeaning(word: string): Meaning | undefined {
  const found = [...STAGES, ...RANGES, ...AGGREGATIONS].find((t) => t.label === word);
  return found === undefined
    ? undefined
    : { head: word, text: [found.info, found.example ?? ''].join('\n').trim() };
}

async function metricMeaning(word: string): Promise<Meaning | undefined> {
  const found = (await metadata({ metric: word }))[word]?.[0];
  return found === undefined ? undefined : { head: `${word} (${found.type})`, text: found.help };
}

export function meanings(language: 'promql' | 'logql') {
  return hoverTooltip(async (view, at) => {
    const line = view.state.doc.lineAt(at);
    const word = wordAt(line.text, at - line.from);
    if (word === undefined) return null;
    const text = line.text.slice(word.from, word.to);
    const called = /^\s*(\(|by\b|without\b)/.test(line.text.slice(word.to));
    const meaning =
      language === 'logql'
        ? logqlMeaning(text)
        : ((called ? promqlMeaning(text) : undefined) ??
          (await metricMeaning(text).catch(() => undefined)));
    if (meaning === undefined) return null;
    return {
      pos: line.from + word.from,
      end: line.from + word.to,
      create: () => {
        const dom = document.createElement('div');
        dom.className = 'editor-meaning';
        const head = dom.appendChild(document.createElement('b'));
        head.textContent = meaning.head;
        const body = dom.appendChild(document.createElement('div'));
        body.textContent = meaning.text;
        return { dom };
      },
    };
  });
}
