/** The part of a page's state that is in its address, so that back, reload and sharing keep it. */

import { useCallback } from 'react';
import { useSearchParams } from 'wouter';
import type { RawRange } from './time/relative';

export type UrlChange = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Reads the address, and changes some of its parameters; an undefined one is removed. */
export function useUrl(): [URLSearchParams, (change: UrlChange, replace?: boolean) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (change: UrlChange, replace = false) => {
      setParams((before) => changed(before, change), { replace });
    },
    [setParams],
  );
  return [params, set];
}

export function changed(before: URLSearchParams, change: UrlChange): URLSearchParams {
  const next = new URLSearchParams(before);
  for (const [key, value] of Object.entries(change)) {
    next.delete(key);
    if (value === undefined) continue;
    for (const one of typeof value === 'string' ? [value] : value) next.append(key, one);
  }
  return next;
}

/** The range in the address, else the default. */
export function rangeOf(params: URLSearchParams, otherwise: RawRange): RawRange {
  return { from: params.get('from') ?? otherwise.from, to: params.get('to') ?? otherwise.to };
}
