/** What the metric browser lists and writes. Pure. */

import type { Metadata } from '../../api/generated';
import { formatLabels, type Labels } from '../../frame/frame';

export type Metric = { readonly name: string; readonly type: string; readonly help: string };

const PARTS = /_(bucket|sum|count|total|created|info)$/;

/** Names with what their exporters say; parts of a histogram have the words of the whole. */
export function describe(
  names: readonly string[],
  metadata: Readonly<Record<string, readonly Metadata[]>>,
): readonly Metric[] {
  return names.map((name) => {
    const own = metadata[name]?.[0];
    const whole = own ?? metadata[name.replace(PARTS, '')]?.[0];
    const part = own === undefined ? PARTS.exec(name)?.[1] : undefined;
    const type = part === 'bucket' ? 'histogram' : part === undefined ? whole?.type : 'counter';
    return { name, type: type ?? whole?.type ?? 'unknown', help: whole?.help ?? '' };
  });
}

/** Metrics of the type whose name or words hold every word of the search, names first. */
export function searched(
  metrics: readonly Metric[],
  search: string,
  type: string,
): readonly Metric[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = metrics.filter((m) => {
    if (type !== '' && m.type !== type) return false;
    const text = `${m.name} ${m.help}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const inName = (m: Metric) => words.every((word) => m.name.toLowerCase().includes(word));
  return words.length === 0 ? hits : [...hits.filter(inName), ...hits.filter((m) => !inName(m))];
}

/** Expressions about a metric, the most usual for its type first. */
export function suggestions(metric: Metric, labels: Labels): readonly string[] {
  const plain = formatLabels({ __name__: metric.name, ...labels });
  const rate = `sum(rate(${plain}[$__rate_interval]))`;
  if (metric.type === 'histogram' && metric.name.endsWith('_bucket'))
    return [
      `histogram_quantile(0.95, sum by (le) (rate(${plain}[$__rate_interval])))`,
      rate,
      plain,
    ];
  if (metric.type === 'histogram')
    return [`histogram_quantile(0.95, sum(rate(${plain}[$__rate_interval])))`, plain];
  return metric.type === 'counter' ? [rate, plain] : [plain, `sum(${plain})`];
}
