/**
 * Filters that one adds to every query of a board: `label|=|value`, as Grafana's addresses have it.
 *
 * They become conditions of each selector. PromQL is read by its grammar, which is loaded only when
 * there is a filter; in LogQL every brace outside of a text opens a selector.
 */

export type Filter = { readonly label: string; readonly op: string; readonly value: string };

export const OPERATORS = ['=', '!=', '=~', '!~'] as const;

/** Grafana writes a bar within a part as `__gfp__`. */
const BAR = '__gfp__';

export function readFilter(text: string): Filter | undefined {
  const [label, op, value] = text.split('|').map((part) => part.replaceAll(BAR, '|'));
  if (label === undefined || op === undefined || value === undefined || label === '')
    return undefined;
  return OPERATORS.some((known) => known === op) ? { label, op, value } : undefined;
}

export function writeFilter({ label, op, value }: Filter): string {
  return [label, op, value].map((part) => part.replaceAll('|', BAR)).join('|');
}

const condition = ({ label, op, value }: Filter) => {
  const name = /^[A-Za-z_][A-Za-z0-9_]*$/.test(label) ? label : JSON.stringify(label);
  return `${name}${op}${JSON.stringify(value)}`;
};

/** The expression with the filters in each of its selectors. */
export async function filtered(
  expr: string,
  filters: readonly Filter[],
  language: 'prometheus' | 'loki',
): Promise<string> {
  if (filters.length === 0) return expr;
  const conditions = filters.map(condition).join(', ');
  return language === 'loki' ? intoBraces(expr, conditions) : intoSelectors(expr, conditions);
}

function intoBraces(expr: string, conditions: string): string {
  return expr.replace(
    /"(?:[^"\\]|\\.)*"|`[^`]*`|#[^\n]*|\{(\s*)(\})?/g,
    (whole: string, space: string | undefined, end: string | undefined) => {
      if (!whole.startsWith('{')) return whole;
      return end === undefined ? `{${conditions}, ${space ?? ''}` : `{${conditions}}`;
    },
  );
}

async function intoSelectors(expr: string, conditions: string): Promise<string> {
  const { parser } = await import('@prometheus-io/lezer-promql');
  const places: { at: number; text: string }[] = [];
  parser.parse(expr).iterate({
    enter: ({ name, node }) => {
      if (name !== 'VectorSelector') return;
      const matchers = node.getChild('LabelMatchers');
      if (matchers === null) places.push({ at: node.to, text: `{${conditions}}` });
      else {
        const empty = expr.slice(matchers.from + 1, matchers.to - 1).trim() === '';
        places.push({ at: matchers.from + 1, text: empty ? conditions : `${conditions}, ` });
      }
    },
  });
  return places
    .sort((a, b) => b.at - a.at)
    .reduce((text, { at, text: more }) => text.slice(0, at) + more + text.slice(at), expr);
}
