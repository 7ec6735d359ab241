/** Rules that match what one searches, those that need a human in front. Pure. */

import type { Rule, RuleGroup } from '../../api/generated';

export type State = 'firing' | 'pending' | 'inactive' | 'recording' | 'failing';

/** A rule that cannot be evaluated is worse than one that fires: nobody is told of anything. */
const ORDER: readonly State[] = ['failing', 'firing', 'pending', 'inactive', 'recording'];

export function stateOf(rule: Rule): State {
  if (rule.health === 'err') return 'failing';
  if (rule.type === 'recording') return 'recording';
  // What was not evaluated yet has no state.
  return rule.state === undefined || rule.state === 'unknown' ? 'inactive' : rule.state;
}

export function counted(groups: readonly RuleGroup[]): ReadonlyMap<State, number> {
  const counts = new Map<State, number>();
  for (const state of ORDER) {
    const count = groups.flatMap((g) => g.rules).filter((r) => stateOf(r) === state).length;
    if (count > 0) counts.set(state, count);
  }
  return counts;
}

export function sifted(
  groups: readonly RuleGroup[],
  search: string,
  only: string,
): readonly RuleGroup[] {
  const wanted = search.trim().toLowerCase();
  const rank = (rule: Rule) => ORDER.indexOf(stateOf(rule));
  const hit = (rule: Rule) =>
    (only === '' || stateOf(rule) === only) &&
    [
      rule.name,
      rule.query,
      ...(rule.alerts ?? []).flatMap((a) => Object.entries(a.labels).map(([n, v]) => `${n}=${v}`)),
    ].some((text) => text.toLowerCase().includes(wanted));
  return groups
    .map((group) => ({
      ...group,
      // Sorting is stable: rules of one state stay in the order in which they are evaluated.
      rules: group.rules.filter(hit).sort((a, b) => rank(a) - rank(b)),
    }))
    .filter((group) => group.rules.length > 0)
    .sort((a, b) => rank(a.rules[0] as Rule) - rank(b.rules[0] as Rule));
}
