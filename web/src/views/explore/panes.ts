/**
 * What Explore shows, as its address writes it: one pane or two side by side, each of metrics or of
 * logs. The first pane's kind is in the path; parameters of the second end in `2`. Pure.
 */

export type Kind = 'metrics' | 'logs';

export type Pane = {
  readonly kind: Kind;
  /** Expressions in their order; metrics may have several, and an empty one is being written. */
  readonly exprs: readonly string[];
  /** How the answer is shown: `graph` or `table`, `lines` or `live`. */
  readonly show: string;
};

export type Panes = { readonly left: Pane; readonly right: Pane | undefined };

/** More expressions of one pane are not read. */
export const QUERIES_MAX = 12;

export function readPanes(kind: string | undefined, params: URLSearchParams): Panes {
  const split = params.get('split');
  return {
    left: readPane(kind === 'logs' ? 'logs' : 'metrics', params, ''),
    right:
      split === null ? undefined : readPane(split === 'logs' ? 'logs' : 'metrics', params, '2'),
  };
}

function readPane(kind: Kind, params: URLSearchParams, end: string): Pane {
  const exprs = params.getAll(`expr${end}`).slice(0, kind === 'logs' ? 1 : QUERIES_MAX);
  return {
    kind,
    exprs: exprs.length === 0 ? [''] : exprs,
    show: params.get(`show${end}`) ?? '',
  };
}

/** The address of these panes; what else the address holds, such as the range, stays. */
export function panesUrl({ left, right }: Panes, params: URLSearchParams): string {
  const next = new URLSearchParams(params);
  for (const name of ['expr', 'show', 'split', 'expr2', 'show2']) next.delete(name);
  writePane(left, next, '');
  if (right !== undefined) {
    next.set('split', right.kind);
    writePane(right, next, '2');
  }
  return `/explore/${left.kind}${next.size === 0 ? '' : `?${next}`}`;
}

function writePane({ exprs, show }: Pane, params: URLSearchParams, end: string) {
  if (exprs.some((expr) => expr !== ''))
    for (const expr of exprs) params.append(`expr${end}`, expr);
  if (show !== '') params.set(`show${end}`, show);
}
