/**
 * The variables that every dashboard has: the interval that fits the panel's width, the range, the
 * rate interval.
 *
 * `$__rate_interval` is max(interval + scrape interval, 4 × scrape interval), as Grafana's
 * documentation of the Prometheus data source says.
 */

import { formatDuration, parseDuration, roundInterval } from '../../lib/time/duration';
import type { TimeRange } from '../../lib/time/relative';

/** The interval between points that a panel of this many points needs, not below the minimum. */
export function intervalMs(range: TimeRange, points: number, minimumMs = 0): number {
  const raw = (range.to - range.from) / Math.max(points, 1);
  return Math.max(roundInterval(raw), minimumMs, 1);
}

export type Builtin = {
  readonly range: TimeRange;
  readonly intervalMs: number;
  /** How often targets are scraped. */
  readonly scrapeMs: number;
  readonly zone: string;
  readonly dashboard?: string;
};

export function builtinValue(name: string, of: Builtin): string | undefined {
  const rangeMs = of.range.to - of.range.from;
  switch (name) {
    case '__interval':
    case '__auto_interval':
      return formatDuration(of.intervalMs);
    case '__interval_ms':
      return String(of.intervalMs);
    case '__auto':
      return formatDuration(of.intervalMs);
    case '__rate_interval':
      return formatDuration(rateIntervalMs(of));
    case '__rate_interval_ms':
      return String(rateIntervalMs(of));
    case '__range':
      return `${Math.round(rangeMs / 1_000)}s`;
    case '__range_s':
      return String(Math.round(rangeMs / 1_000));
    case '__range_ms':
      return String(rangeMs);
    case '__from':
      return String(of.range.from);
    case '__to':
      return String(of.range.to);
    case '__timezone':
      return of.zone;
    case '__dashboard':
      return of.dashboard;
    case '__name':
      return undefined;
    default:
      return undefined;
  }
}

function rateIntervalMs({ intervalMs: interval, scrapeMs }: Builtin): number {
  return Math.max(interval + scrapeMs, 4 * scrapeMs);
}

/** The lower bound that a panel sets, such as `30s` or `>30s`; nothing if it sets none. */
export function minimumInterval(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text.replace(/^>/, ''));
}
