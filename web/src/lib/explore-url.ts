/** Ways into Explore from elsewhere. */

export type ExploreTarget = {
  readonly kind: 'metrics' | 'logs';
  readonly exprs: readonly string[];
  readonly from: string | number;
  readonly to: string | number;
};

export function exploreUrl({ kind, exprs, from, to }: ExploreTarget): string {
  const params = new URLSearchParams({ from: String(from), to: String(to) });
  for (const expr of exprs) params.append('expr', expr);
  return `/explore/${kind}?${params}`;
}
