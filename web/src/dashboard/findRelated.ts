/** Asks the server for the logs that belong to metrics, and the metrics that belong to logs. */

import * as loki from '../api/loki';
import * as prometheus from '../api/prometheus';
import type { Labels } from '../frame/frame';
import type { TimeRange } from '../lib/time/relative';
import { counterpart, gathered, logsOf, metricsOf, selectorOf, selectors } from './related';

/** Series of an expression that are looked at for what they have in common. */
const SERIES_MAX = 500;

/**
 * LogQL for the lines of whatever these expressions are about: what their series have in common
 * before any aggregation, and what all series of the answer say beyond that.
 */
export async function findLogs(
  exprs: readonly string[],
  answered: readonly Labels[],
  range: TimeRange,
): Promise<string> {
  const params = { start: range.from / 1_000, end: range.to / 1_000, limit: SERIES_MAX };
  const trees = await Promise.all(exprs.map((expr) => prometheus.parseQuery(expr)));
  const matches = [...new Set(trees.flatMap(selectors))];
  const series =
    matches.length === 0 ? [] : await prometheus.series({ ...params, 'match[]': matches });
  const labels = { ...gathered(series), ...gathered(answered) };
  const within = { start: loki.nanos(range.from), end: loki.nanos(range.to) };
  return logsOf(
    await counterpart(labels, {
      names: () => loki.labelNames(within),
      values: (name) => loki.labelValues(name, within),
    }),
  );
}

/** PromQL for the metrics of whatever has these labels in logs. */
export async function findMetrics(labels: Labels, range: TimeRange): Promise<string> {
  const params = { start: range.from / 1_000, end: range.to / 1_000, limit: 10_000 };
  const found = await counterpart(gathered([labels]), {
    names: () => prometheus.labelNames(params),
    values: (name) => prometheus.labelValues(name, params),
  });
  if (Object.keys(found).length === 0) return 'up';
  const names = await prometheus.labelValues('__name__', {
    ...params,
    'match[]': selectorOf(found),
  });
  return metricsOf(found, names);
}
