/** What discovery found, by scrape job, searched. Pure. */

import type { Pool, Resource, ResourceState, Targets } from '../../api/generated';
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
  /** Why nothing of it is scraped. */
  readonly reason: string;
  readonly found: readonly Found[];
};

export function jobsOf(
  all: Targets,
  pools: readonly Pool[],
  search: string,
  only: string,
): readonly Job[] {
  const counts = all.droppedTargetCounts ?? {};
  const names = new Set([
    ...all.activeTargets.map((t) => t.scrapePool),
    ...Object.keys(counts),
    ...all.droppedTargets.map((t) => t.scrapePool),
    ...pools.map((pool) => pool.name),
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
      const kept = all.activeTargets.filter((t) => t.scrapePool === name);
      const dropped = all.droppedTargets.filter((t) => t.scrapePool === name);
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
        dropped: Math.max(counts[name] ?? 0, dropped.length),
        reason: pools.find((pool) => pool.name === name)?.reason ?? '',
        found: found.filter(hit),
      };
    })
    .filter((job) => (wanted === '' && only === '') || job.found.length > 0);
}

/** What a human has to look at stands in front. */
const ORDER: readonly ResourceState[] = ['rejected', 'empty', 'scraped', 'taken'];

/** Custom resources that match a search, by what became of them and then by name. */
export function resourcesOf(all: readonly Resource[], search: string): readonly Resource[] {
  const wanted = search.trim().toLowerCase();
  const text = (one: Resource) =>
    [one.kind, `${one.namespace}/${one.name}`, one.state, one.reason, ...one.pools].join(' ');
  const name = (one: Resource) => `${one.namespace}/${one.name} ${one.kind}`;
  return all
    .filter((one) => text(one).toLowerCase().includes(wanted))
    .sort(
      (a, b) =>
        ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || name(a).localeCompare(name(b), 'en'),
    );
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
