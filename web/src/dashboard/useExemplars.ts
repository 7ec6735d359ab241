/** Exemplars of a panel's queries, thinned to what can be told apart on its chart. */

import { useQuery } from '@tanstack/react-query';
import { type Exemplar, queryExemplars } from '../api/prometheus';
import { usePageTime } from '../ui/time';
import type { Request } from './run';
import { thinned } from './thin';

const NONE: readonly Exemplar[] = [];

export function useExemplars(requests: readonly Request[], letters: ReadonlySet<string>) {
  const { tick } = usePageTime();
  const asked = requests.filter(
    (r) => r.kind === 'prometheus' && !r.instant && letters.has(r.refId),
  );
  const { data } = useQuery({
    queryKey: ['exemplars', asked.map((r) => [r.expr, r.range]), tick],
    enabled: asked.length > 0,
    queryFn: async ({ signal }) => {
      const found = await Promise.all(
        // Without exemplars the chart is whole: what is refused here is told by the query itself.
        asked.map((r) => queryExemplars(r.expr, r.range, { signal }).catch(() => NONE)),
      );
      return thinned(found.flat(), asked[0]?.range ?? { from: 0, to: 1 });
    },
  });
  return asked.length === 0 ? NONE : (data ?? NONE);
}
