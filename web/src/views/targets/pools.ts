/** Targets by their job, searched, what fails in front. Pure. */

import type { ActiveTarget } from '../../api/generated';

export type Pool = {
  readonly name: string;
  readonly up: number;
  readonly targets: readonly ActiveTarget[];
};

export function poolsOf(targets: readonly ActiveTarget[], search: string): readonly Pool[] {
  const wanted = search.trim().toLowerCase();
  const pools = new Map<string, ActiveTarget[]>();
  for (const target of targets) {
    const words = [
      target.scrapePool,
      target.scrapeUrl,
      target.lastError,
      target.health,
      ...Object.entries(target.labels).map(([name, value]) => `${name}=${value}`),
    ];
    if (wanted !== '' && !words.some((word) => word.toLowerCase().includes(wanted))) continue;
    pools.set(target.scrapePool, [...(pools.get(target.scrapePool) ?? []), target]);
  }
  const bad = (t: ActiveTarget) => (t.health === 'down' ? 0 : 1);
  return [...pools]
    .map(([name, of]) => ({
      name,
      up: of.filter((t) => t.health === 'up').length,
      targets: of.sort((a, b) => bad(a) - bad(b) || a.scrapeUrl.localeCompare(b.scrapeUrl)),
    }))
    .sort((a, b) => {
      const sick = (p: Pool) => (p.up < p.targets.length ? 0 : 1);
      return sick(a) - sick(b) || a.name.localeCompare(b.name);
    });
}
