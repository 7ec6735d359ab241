/** The rows of a list that are in sight, with a few around them; the rest is not in the page. */

import { type RefObject, useCallback, useEffect, useLayoutEffect, useReducer, useRef } from 'react';
import { flushSync } from 'react-dom';
import type { Rows } from './prepare';
import { Scroll } from './scroll';

/** Rows above and below those in sight. */
const AROUND = 12;
/** The usual height of a row. */
const USUAL = 22;
/** Where a browser does not tell that scrolling ended, it did when nothing came for so long. */
const REST_MS = 150;
/** Rows of a list that loses or gains some at its start: such a list is short. */
const MOVING_MAX = 20_000;

export type InSight = {
  readonly first: number;
  /** The row behind the last one. */
  readonly end: number;
  /** Where the first row stands in the element, and how high that is. */
  readonly top: number;
  readonly size: number;
  /** Measures a row while it is in the page; its place in the list is its `data-index`. */
  readonly measure: (element: HTMLElement | null) => (() => void) | undefined;
  /** Brings the middle of a row into sight, or the end. */
  readonly show: (aim: number | 'end') => void;
};

/**
 * All rows have other heights when `look` is another. Rows that come before the first one push the
 * others down only while the list is at its start and `idle`: nobody reads a certain one.
 */
export function useScroll(
  scroller: RefObject<HTMLElement | null>,
  rows: Rows,
  height: number,
  look: string,
  idle: boolean,
): InSight {
  const [, draw] = useReducer((turn: number) => turn + 1, 0);
  const { scroll, watcher, shown } = useKept(rows, height, look);
  const unsettled = useRef<'no' | 'rests' | 'now'>('no');
  scroll.view = height;
  const moved = shown.rows === rows ? 0 : rowsMoved(shown.rows, rows);
  if (moved === undefined || shown.look !== look) {
    scroll.forget();
    watcher.again();
    unsettled.current = 'now';
  } else if (moved !== 0) {
    if (moved < 0) scroll.dropped(-moved);
    else scroll.gained(moved, idle);
    unsettled.current = 'now';
  }
  shown.rows = rows;
  shown.look = look;
  if (scroll.heights.count !== rows.length) scroll.heights.resize(rows.length);

  // The bar can be put where it belongs only when the element is as high as it should be.
  useLayoutEffect(() => {
    const element = scroller.current;
    const why = unsettled.current;
    unsettled.current = 'no';
    if (element === null || (why === 'no' && !scroll.stuck)) return;
    // The hand does not rest: it scrolled, and the event of that is on its way.
    if (why === 'rests' && element.scrollTop !== scroll.bar) return;
    element.scrollTop = scroll.settled();
    const before = scroll.shift;
    scroll.putAt(element.scrollTop);
    if (scroll.shift !== before) draw();
  });
  const settle = useCallback(() => {
    unsettled.current = 'now';
    draw();
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const rest = () => {
      if (unsettled.current === 'no') unsettled.current = 'rests';
      draw();
    };
    const scrolled = () => {
      scroll.scrolled(element.scrollTop);
      if (!('onscrollend' in element)) {
        clearTimeout(timer);
        timer = setTimeout(rest, REST_MS);
      }
      // Before the next picture, which would show the rows of before.
      flushSync(draw);
    };
    element.addEventListener('scroll', scrolled, { passive: true });
    element.addEventListener('scrollend', rest);
    return () => {
      clearTimeout(timer);
      element.removeEventListener('scroll', scrolled);
      element.removeEventListener('scrollend', rest);
    };
  }, [scroll, scroller]);

  useEffect(
    () =>
      watcher.begin((heights) => {
        const changed = scroll.measured(heights);
        if (changed !== 'no') flushSync(changed === 'moved' ? settle : draw);
      }),
    [scroll, watcher, settle],
  );

  const show = useCallback(
    (aim: number | 'end') => {
      scroll.show(aim);
      settle();
    },
    [scroll, settle],
  );
  const first = Math.max(scroll.heights.rowAt(scroll.offset) - AROUND, 0);
  return {
    first,
    end: Math.min(scroll.heights.rowAt(scroll.offset + height) + 1 + AROUND, rows.length),
    top: scroll.heights.top(first) - scroll.shift,
    size: scroll.size,
    measure: watcher.measure,
    show,
  };
}

function useKept(rows: Rows, height: number, look: string) {
  const kept = useRef<
    { scroll: Scroll; watcher: Watcher; shown: { rows: Rows; look: string } } | undefined
  >(undefined);
  kept.current ??= {
    scroll: new Scroll(USUAL, height),
    watcher: new Watcher(),
    shown: { rows, look },
  };
  return kept.current;
}

/** How many rows came at the start of the list, less than none where some are gone; `undefined` when it is another list. */
export function rowsMoved(before: Rows, now: Rows): number | undefined {
  const [old, first] = [before.at(0)?.key, now.at(0)?.key];
  if (old === undefined || first === undefined || old === first) return 0;
  for (let row = 1; row < MOVING_MAX; row += 1) {
    const [gone, pushed] = [before.at(row)?.key, now.at(row)?.key];
    if (gone === undefined && pushed === undefined) return undefined;
    if (gone === first) return -row;
    if (pushed === old) return row;
  }
  return undefined;
}

/** Tells the heights of the rows in the page, after they are laid out and before they are drawn. */
class Watcher {
  readonly #rows = new Set<HTMLElement>();
  #observer: ResizeObserver | undefined;

  begin(tell: (heights: readonly (readonly [number, number])[]) => void): () => void {
    this.#observer = new ResizeObserver((entries) =>
      tell(
        entries
          .filter(({ target }) => target.isConnected)
          .map(({ target, borderBoxSize }) => [
            Number((target as HTMLElement).dataset.index),
            borderBoxSize[0]?.blockSize ?? USUAL,
          ]),
      ),
    );
    this.again();
    return () => {
      this.#observer?.disconnect();
      this.#observer = undefined;
    };
  }

  /** Has all rows told again, also those whose height is what it was. */
  again(): void {
    for (const row of this.#rows) {
      this.#observer?.unobserve(row);
      this.#observer?.observe(row);
    }
  }

  readonly measure = (row: HTMLElement | null): (() => void) | undefined => {
    if (row === null) return undefined;
    this.#rows.add(row);
    this.#observer?.observe(row);
    return () => {
      this.#rows.delete(row);
      this.#observer?.unobserve(row);
    };
  };
}
