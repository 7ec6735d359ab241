/**
 * Filters that one adds to every query of a board: `label|=|value`, as Grafana's addresses have it.
 *
 * They become conditions of each selector. PromQL is read by its grammar, which is loaded only when
 * there is a filter; in LogQL every brace outside of a text opens a selector. What is smaller or
 * larger is a stage behind the selector there; PromQL compares no labels, so nothing is added.
 */

export type Filter = { readonly label: string; readonly op: string; readonly value: string };

export const OPERATORS = ['=', '!=', '=~', '!~'] as const;
/** Compare a label as a number; only logs have them. */
export const NUMBER_OPERATORS = ['<', '>'] as const;
const KNOWN: readonly string[] = [...OPERATORS, ...NUMBER_OPERATORS];

/** Grafana writes a bar within a part as `__gfp__`. */
const BAR = '__gfp__';

export function readFilter(text: string): Filter | undefined {
  const [label, op, value] = text.split('|').map((part) => part.replaceAll(BAR, '|'));
  if (label === undefined || op === undefined || value === undefined || label === '')
    return undefined;
  return KNOWN.includes(op) ? { label, op, value } : undefined;
}

export function writeFilter({ label, op, value }: Filter): string {
  return [label, op, value].map((part) => part.replaceAll('|', BAR)).join('|');
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const condition = ({ label, op, value }: Filter) => {
  const name = NAME.test(label) ? label : JSON.stringify(label);
  return `${name}${op}${JSON.stringify(value)}`;
};

/** The expression with the filters in each of its selectors. */
export async function filtered(
  expr: string,
  filters: readonly Filter[],
  language: 'prometheus' | 'loki',
): Promise<string> {
  if (filters.length === 0) return expr;
  const compares = ({ op }: Filter) => NUMBER_OPERATORS.some((known) => known === op);
  const conditions = filters.filter((filter) => !compares(filter)).map(condition);
  if (language === 'prometheus')
    return conditions.length === 0 ? expr : intoSelectors(expr, conditions.join(', '));
  // A number only: anything else would be a stage of its own.
  const stages = filters
    .filter((filter) => compares(filter) && filter.value.trim() !== '')
    .filter(({ label, value }) => NAME.test(label) && Number.isFinite(Number(value)))
    .map(({ label, op, value }) => ` | ${label} ${op} ${Number(value)}`);
  return intoBraces(expr, conditions, stages.join(''));
}

function intoBraces(expr: string, conditions: readonly string[], stages: string): string {
  return expr.replace(
    /"(?:[^"\\]|\\.)*"|`[^`]*`|#[^\n]*|\{(\s*)|(\s*)\}/g,
    (whole: string, space: string | undefined, _: string | undefined, at: number) => {
      if (whole.endsWith('}')) return `${whole}${stages}`;
      if (!whole.startsWith('{') || conditions.length === 0) return whole;
      const empty = expr.slice(at + whole.length).startsWith('}');
      return `{${conditions.join(', ')}${empty ? '' : `, ${space ?? ''}`}`;
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
