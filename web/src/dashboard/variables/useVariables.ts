/** The variables of a board as state of its page; what is chosen lives in the address. */

import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useLayoutEffect, useMemo, useState } from 'react';
import { useUrl } from '../../lib/url-state';
import { usePageTime } from '../../ui/time';
import type { Values } from '../run';
import type { Variable } from '../schema/model';
import { findChoices, parseVariableQuery } from './query';
import { resolveVariables, type VariableState, valuesIn } from './resolve';

export type Variables = {
  readonly states: readonly VariableState[];
  readonly values: Values;
  /** Whether all are known, so that panels may ask. */
  readonly ready: boolean;
  readonly set: (name: string, values: readonly string[]) => void;
};

export function useVariables(variables: readonly Variable[]): Variables {
  const client = useQueryClient();
  const [params, setUrl] = useUrl();
  const { range, tick } = usePageTime();
  const [states, setStates] = useState<readonly VariableState[] | undefined>();
  // The effect runs when what is chosen changes, not when another part of the address does.
  const picked = JSON.stringify(variables.map((v) => params.getAll(`var-${v.name}`)));
  const moves = variables.some((v) => v.refreshOnTime) ? tick : 0;

  // Before the page is painted: all panels wait for the answers.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `moves` says when time matters.
  useLayoutEffect(() => {
    let wanted = true;
    const all = JSON.parse(picked) as readonly (readonly string[])[];
    const fromUrl = (name: string) => all[variables.findIndex((v) => v.name === name)] ?? [];
    const find = (variable: Variable, query: string) =>
      client.fetchQuery({
        queryKey: [
          'variable',
          variable.source.kind,
          query,
          variable.refreshOnTime ? [range.from, range.to] : 0,
        ],
        queryFn: ({ signal }) =>
          findChoices(parseVariableQuery(query), variable.source.kind, range, { signal }),
        staleTime: 60_000,
      });
    void resolveVariables(variables, fromUrl, range.to - range.from, find).then((found) => {
      if (wanted) setStates(found);
    });
    return () => {
      wanted = false;
    };
  }, [client, variables, picked, moves]);

  const values = useMemo(() => valuesIn(states ?? []), [states]);
  const set = useCallback(
    (name: string, next: readonly string[]) => setUrl({ [`var-${name}`]: next }),
    [setUrl],
  );
  return useMemo(
    () => ({ states: states ?? [], values, ready: states !== undefined, set }),
    [states, values, set],
  );
}
