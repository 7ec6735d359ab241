/** The steps of a query as bars over its whole time. Pure. */

import type { Span } from '../../api/generated';

export type Bar = { readonly what: string; readonly left: number; readonly width: number };

/** Shares of the whole in percent; a step too short to be seen still gets a mark. */
export function bars(spans: readonly Span[], totalSeconds: number): readonly Bar[] {
  const whole = Math.max(
    totalSeconds,
    ...spans.map((s) => s.startSeconds + s.tookSeconds),
    Number.MIN_VALUE,
  );
  return spans.map(({ what, startSeconds, tookSeconds }) => {
    const width = Math.max((tookSeconds / whole) * 100, 0.5);
    return { what, width, left: Math.min((startSeconds / whole) * 100, 100 - width) };
  });
}
