/** Pages of lines joined to one list, without a gap and without a line twice. Pure. */

import { compareNanos, type LogLine } from '../../api/loki';

/** The lines that are there; only the last of them are looked at. */
type Before = { readonly length: number; readonly at: (place: number) => LogLine | undefined };

export type Joined = {
  /** How many of the lines before it stay, at the start of the list. */
  readonly kept: number;
  /** What comes behind those. */
  readonly page: readonly LogLine[];
  /** Whether another page can bring more. */
  readonly more: boolean;
};

/**
 * How the next page joins the list. The page begins at the instant where the list ended, because a
 * limit may have cut between lines of one instant: those are taken from the page alone.
 */
export function joinPage(before: Before, page: readonly LogLine[], limit: number): Joined {
  const last = before.at(before.length - 1);
  const full = page.length >= limit;
  if (last === undefined) return { kept: 0, page, more: full };
  if (page.length === 0) return { kept: before.length, page, more: false };
  let kept = before.length;
  while (kept > 0 && before.at(kept - 1)?.ns === last.ns) kept -= 1;
  // More lines of one instant than a page holds: the rest of them cannot be reached, what lies
  // behind them can.
  const stuck = full && page.at(-1)?.ns === last.ns && page[0]?.ns === last.ns;
  if (stuck) return { kept: before.length, page: [], more: false };
  return { kept, page, more: full };
}

/** Where the next page begins and ends, in nanoseconds. */
export function nextBounds(
  lines: Before,
  range: { from: string; to: string },
  oldestFirst: boolean,
): { start: string; end: string } {
  const last = lines.at(lines.length - 1);
  if (last === undefined) return { start: range.from, end: range.to };
  // The end of a range is not part of it.
  return oldestFirst
    ? { start: last.ns, end: range.to }
    : { start: range.from, end: String(BigInt(last.ns) + 1n) };
}

/** In the order of the list. */
export function ordered(lines: readonly LogLine[], oldestFirst: boolean): readonly LogLine[] {
  const sign = oldestFirst ? 1 : -1;
  return [...lines].sort((a, b) => sign * compareNanos(a.ns, b.ns));
}
