/**
 * The frames of one panel: asked when the panel is in sight, again at every refresh, kept on the
 * screen while newer ones are on their way.
 */

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import * as loki from '../api/loki';
import * as prometheus from '../api/prometheus';
import type { Frame } from '../frame/frame';
import { usePageTime } from '../ui/time';
import { type Environment, plan, type Request, shape } from './run';
import type { Panel } from './schema/model';

export type PanelFrames = {
  readonly frames: readonly Frame[];
  readonly requests: readonly Request[];
  readonly raw: readonly unknown[];
  readonly notices: readonly string[];
  readonly loading: boolean;
  readonly error: string | undefined;
  readonly tookMs: number | undefined;
  readonly environment: Environment;
};

/** Lines a logs panel shows when its query has no limit of its own. */
const LINES = 1_000;

async function send(request: Request, signal: AbortSignal): Promise<prometheus.Answer> {
  const { kind, instant, expr, legend, refId, range, stepMs } = request;
  const named = { expr, refId, ...(legend === undefined ? {} : { legend }) };
  if (kind === 'prometheus') {
    return instant
      ? prometheus.queryInstant({ ...named, at: range.to }, { signal })
      : prometheus.queryRange({ ...named, ...range, stepMs }, { signal });
  }
  return instant
    ? loki.queryInstant({ ...named, at: range.to }, { signal })
    : loki.queryRange(
        {
          ...named,
          ...range,
          stepMs,
          limit: request.limit ?? LINES,
          ...(request.direction === undefined ? {} : { direction: request.direction }),
        },
        { signal },
      );
}

export function usePanelFrames(
  panel: Panel,
  environment: Environment,
  enabled: boolean,
): PanelFrames {
  const { tick } = usePageTime();
  const planned = useMemo(() => plan(panel, environment), [panel, environment]);
  const answer = useQuery({
    queryKey: ['panel', planned.requests, tick],
    queryFn: async ({ signal }) => {
      const started = performance.now();
      const answers = await Promise.all(
        planned.requests.map(async (request) => ({ request, answer: await send(request, signal) })),
      );
      return { answers, tookMs: performance.now() - started };
    },
    enabled: enabled && planned.requests.length > 0,
    placeholderData: keepPreviousData,
    gcTime: 30_000,
  });
  const answers = answer.data?.answers;
  const frames = useMemo(
    () => (answers === undefined ? [] : shape(panel, answers)),
    [panel, answers],
  );
  return {
    frames,
    requests: planned.requests,
    raw: answers?.map((a) => a.answer.raw) ?? [],
    notices: answers?.flatMap((a) => a.answer.notices) ?? [],
    loading: answer.isFetching,
    error: answer.error?.message,
    tookMs: answer.data?.tookMs,
    environment,
  };
}
