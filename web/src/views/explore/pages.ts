/** Pages of lines joined to one list, without a gap and without a line twice. Pure. */

import { compareNanos, type LogLine } from '../../api/loki';

export type Joined = {
  readonly lines: readonly LogLine[];
  /** Whether another page can bring more. */
  readonly more: boolean;
  /** How many of the lines before it stay, at the start of the list. */
  readonly kept: number;
};

/**
 * The list with the next page behind it. The page begins at the instant where the list ended,
 * because a limit may have cut between lines of one instant: those are taken from the page alone.
 */
export function joinPage(
  before: readonly LogLine[],
  page: readonly LogLine[],
  limit: number,
): Joined {
  const last = before.at(-1);
  const full = page.length >= limit;
  if (last === undefined) return { lines: page, more: full, kept: 0 };
  if (page.length === 0) return { lines: before, more: false, kept: before.length };
  let keep = before.length;
  while (keep > 0 && before[keep - 1]?.ns === last.ns) keep -= 1;
  // More lines of one instant than a page holds: the rest of them cannot be reached, what lies
  // behind them can.
  const stuck = full && page.at(-1)?.ns === last.ns && page[0]?.ns === last.ns;
  if (stuck) return { lines: before, more: false, kept: before.length };
  return { lines: before.slice(0, keep).concat(page), more: full, kept: keep };
}

/** Where the next page begins and ends, in nanoseconds. */
export function nextBounds(
  lines: readonly LogLine[],
  range: { from: string; to: string },
  oldestFirst: boolean,
): { start: string; end: string } {
  const last = lines.at(-1);
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
