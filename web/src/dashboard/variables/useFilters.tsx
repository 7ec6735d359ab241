/** The filters of a page's ad hoc variables, for every query of every panel. */

import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { useUrl } from '../../lib/url-state';
import type { SourceKind, Variable } from '../schema/model';
import { type Filter, readFilter } from './adhoc';

export type SourceFilters = { readonly kind: SourceKind; readonly filters: readonly Filter[] };

const Context = createContext<readonly SourceFilters[]>([]);

export function useFilters(): readonly SourceFilters[] {
  return useContext(Context);
}

type Props = { readonly variables: readonly Variable[]; readonly children: ReactNode };

export function FiltersProvider({ variables, children }: Props) {
  const [params] = useUrl();
  const written = JSON.stringify(
    variables.flatMap((v) =>
      v.kind === 'adhoc' ? [[v.source.kind, params.getAll(`var-${v.name}`)]] : [],
    ),
  );
  const value = useMemo(
    () =>
      (JSON.parse(written) as [SourceKind, string[]][]).map(([kind, texts]) => ({
        kind,
        filters: texts.flatMap((text) => readFilter(text) ?? []),
      })),
    [written],
  );
  return <Context value={value}>{children}</Context>;
}

/** The filters that belong to queries of a source. */
export function filtersFor(all: readonly SourceFilters[], kind: SourceKind): readonly Filter[] {
  return all
    .filter((of) => of.kind === kind || of.kind === 'unknown' || of.kind === 'mixed')
    .flatMap((of) => of.filters);
}
