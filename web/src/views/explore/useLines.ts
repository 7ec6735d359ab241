/** The lines of an expression, page by page as one scrolls. */

import { useCallback, useEffect, useRef, useState } from 'react';
import { AGAIN_MS, Unreachable } from '../../api/http';
import { type LogLine, nanos, queryLines } from '../../api/loki';
import type { TimeRange } from '../../lib/time/relative';
import { type LogRow, rowOf } from '../../panels/logs/prepare';
import { joinPage, nextBounds, ordered } from './pages';

/** Lines of the first page, which should be there at once, and of the others. */
const FIRST = 1_000;
const NEXT = 5_000;
/** No more are kept: about what a browser can still scroll through. */
export const LINES_MAX = 1_000_000;

export type Lines = {
  readonly rows: readonly LogRow[];
  readonly loading: boolean;
  /** Whether the server may have more. */
  readonly more: boolean;
  readonly error: string | undefined;
  readonly tookMs: number | undefined;
  readonly next: () => void;
};

type State = Omit<Lines, 'next'> & { readonly lines: readonly LogLine[] };

const NONE: State = {
  rows: [],
  lines: [],
  loading: false,
  more: false,
  error: undefined,
  tookMs: undefined,
};

export function useLines(
  expr: string,
  range: TimeRange,
  tick: number,
  oldestFirst: boolean,
  enabled: boolean,
): Lines {
  const [state, setState] = useState<State>(NONE);
  const asking = useRef<AbortController | undefined>(undefined);

  const ask = useCallback(
    async (before: State, abort: AbortController) => {
      const limit = before.lines.length === 0 ? FIRST : NEXT;
      const bounds = nextBounds(
        before.lines,
        { from: nanos(range.from), to: nanos(range.to) },
        oldestFirst,
      );
      const started = performance.now();
      setState({ ...before, loading: true, error: undefined });
      try {
        const direction = oldestFirst ? ('forward' as const) : ('backward' as const);
        const found = await queryLines({ expr, ...bounds, limit, direction }, abort);
        if (abort.signal.aborted) return;
        const { lines, more, kept } = joinPage(before.lines, ordered(found, oldestFirst), limit);
        // Rows of the lines that stay are kept, so that those opened stay open.
        const rows = before.rows
          .slice(0, kept)
          .concat(lines.slice(kept).map((line, at) => rowOf(line, `${kept + at}`)));
        setState({
          rows,
          lines,
          more: more && lines.length < LINES_MAX,
          loading: false,
          error: undefined,
          tookMs: performance.now() - started,
        });
      } catch (error) {
        if (abort.signal.aborted) return;
        const said = error instanceof Error ? error.message : String(error);
        setState({ ...before, loading: false, more: false, error: said });
        // As every other question, once the server may be back.
        if (error instanceof Unreachable)
          setTimeout(() => abort.signal.aborted || void ask(before, abort), AGAIN_MS);
      }
    },
    [expr, range, oldestFirst],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: a refresh asks anew.
  useEffect(() => {
    const abort = new AbortController();
    asking.current = abort;
    if (enabled) void ask(NONE, abort);
    else setState(NONE);
    return () => abort.abort();
  }, [ask, enabled, tick]);

  const next = useCallback(() => {
    const abort = asking.current;
    if (abort === undefined || state.loading || !state.more) return;
    void ask(state, abort);
  }, [ask, state]);
  const { lines: _, ...shown } = state;
  return { ...shown, next };
}
