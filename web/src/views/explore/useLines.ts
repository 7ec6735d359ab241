/** The lines of an expression, page by page as one scrolls. */

import { useCallback, useEffect, useRef, useState } from 'react';
import { AGAIN_MS, Unreachable } from '../../api/http';
import { nanos, queryLines } from '../../api/loki';
import type { TimeRange } from '../../lib/time/relative';
import type { Rows } from '../../panels/logs/prepare';
import { FoundLines } from './lines';
import { joinPage, nextBounds, ordered } from './pages';

/** Lines of the first page, which should be there at once, and of the others, whose reading should not be felt. */
const FIRST = 1_000;
const NEXT = 2_000;
/** No more are kept, and no more letters: about what a tab of a browser has memory for. */
export const LINES_MAX = 5_000_000;
export const LETTERS_MAX = 1_000_000_000;

export type Lines = {
  readonly rows: Rows;
  readonly loading: boolean;
  /** Whether the server may have more. */
  readonly more: boolean;
  /** Whether there are as many as are kept. */
  readonly full: boolean;
  readonly error: string | undefined;
  readonly tookMs: number | undefined;
  readonly next: () => void;
};

type State = Omit<Lines, 'next'> & { readonly lines: FoundLines | undefined };

const NONE: State = {
  rows: [],
  lines: undefined,
  loading: false,
  more: false,
  full: false,
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
      const lines = before.lines ?? new FoundLines();
      const limit = lines.length === 0 ? FIRST : NEXT;
      const bounds = nextBounds(
        lines,
        { from: nanos(range.from), to: nanos(range.to) },
        oldestFirst,
      );
      const started = performance.now();
      setState({ ...before, loading: true, error: undefined });
      try {
        const direction = oldestFirst ? ('forward' as const) : ('backward' as const);
        const found = await queryLines({ expr, ...bounds, limit, direction }, abort);
        if (abort.signal.aborted) return;
        const { kept, page, more } = joinPage(lines, ordered(found, oldestFirst), limit);
        lines.cut(kept);
        lines.add(page);
        const full = lines.length >= LINES_MAX || lines.letters >= LETTERS_MAX;
        setState({
          rows: lines.rows(),
          lines,
          more: more && !full,
          full,
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
