/** What discovery found, by scrape job, searched. Pure. */

import type { Discovered } from '../../api/status';
import { formatLabels, type Labels } from '../../frame/frame';

export type Found = {
  readonly key: string;
  readonly before: Labels;
  /** Nothing of a target that relabelling left out. */
  readonly after: Labels | undefined;
};

export type Job = {
  readonly name: string;
  readonly kept: number;
  readonly dropped: number;
  readonly found: readonly Found[];
};

export function jobsOf(all: Discovered, search: string, only: string): readonly Job[] {
  const names = new Set([
    ...all.active.map((t) => t.scrapePool),
    ...Object.keys(all.droppedCounts),
    ...all.dropped.map((t) => t.scrapePool),
  ]);
  const wanted = search.trim().toLowerCase();
  const hit = (found: Found) =>
    wanted === '' ||
    [found.before, found.after ?? {}].some((labels) =>
      Object.entries(labels).some(([n, v]) => `${n}=${v}`.toLowerCase().includes(wanted)),
    );
  return [...names]
    .sort()
    .map((name): Job => {
      const kept = all.active.filter((t) => t.scrapePool === name);
      const dropped = all.dropped.filter((t) => t.scrapePool === name);
      const found: Found[] = [
        ...(only === 'dropped'
          ? []
          : kept.map((t) => ({
              key: `kept ${formatLabels(t.labels)} ${t.scrapeUrl}`,
              before: t.discoveredLabels,
              after: t.labels,
            }))),
        ...(only === 'kept'
          ? []
          : dropped.map((t, at) => ({
              key: `dropped ${at} ${formatLabels(t.discoveredLabels)}`,
              before: t.discoveredLabels,
              after: undefined,
            }))),
      ];
      return {
        name,
        kept: kept.length,
        dropped: Math.max(all.droppedCounts[name] ?? 0, dropped.length),
        found: found.filter(hit),
      };
    })
    .filter((job) => (wanted === '' && only === '') || job.found.length > 0);
}

/** A rule of relabelling in one line, with what it has beyond the defaults. */
export function ruleText(rule: Readonly<Record<string, unknown>>): string {
  const { action = 'replace', source_labels, regex, target_label, replacement, modulus } = rule;
  const words = [String(action)];
  if (Array.isArray(source_labels) && source_labels.length > 0)
    words.push(`of ${source_labels.join(', ')}`);
  if (typeof regex === 'string' && regex !== '' && regex !== '(.*)') words.push(`by ${regex}`);
  if (typeof target_label === 'string' && target_label !== '') words.push(`to ${target_label}`);
  if (typeof replacement === 'string' && replacement !== '' && replacement !== '$1')
    words.push(`as ${replacement}`);
  if (typeof modulus === 'number' && modulus > 0) words.push(`modulo ${modulus}`);
  return words.join(' ');
}
