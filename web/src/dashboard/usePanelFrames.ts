/**
 * The frames of one panel: asked when the panel is in sight, again at every refresh, kept on the
 * screen while newer ones are on their way.
 */

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useRef } from 'react';
import { ApiError, Unreachable } from '../api/http';
import * as loki from '../api/loki';
import * as prometheus from '../api/prometheus';
import type { Frame } from '../frame/frame';
import { usePageTime } from '../ui/time';
import { type Environment, plan, type Request, shape } from './run';
import type { Panel } from './schema/model';
import { filtered } from './variables/adhoc';
import { filtersFor, useFilters } from './variables/useFilters';

export type PanelFrames = {
  readonly frames: readonly Frame[];
  readonly requests: readonly Request[];
  readonly raw: readonly unknown[];
  readonly notices: readonly string[];
  readonly loading: boolean;
  /** The first of the errors below, or why nothing could be asked. */
  readonly error: string | undefined;
  /** What was refused, by the letter of the query; the others are drawn. */
  readonly errors: ReadonlyMap<string, string>;
  readonly tookMs: number | undefined;
  readonly environment: Environment;
};

const NO_ERRORS: ReadonlyMap<string, string> = new Map();

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
  const filters = useFilters();
  const planned = useMemo(() => plan(panel, environment), [panel, environment]);
  const answer = useQuery({
    queryKey: ['panel', planned.requests, filters, tick],
    queryFn: async ({ signal }) => {
      const started = performance.now();
      const settled = await Promise.allSettled(
        planned.requests.map(async (request) => {
          const own = filtersFor(filters, request.kind);
          const expr = await filtered(request.expr, own, request.kind);
          return send({ ...request, expr }, signal);
        }),
      );
      const answers: { request: Request; answer: prometheus.Answer }[] = [];
      const errors = new Map<string, string>();
      for (const [at, request] of planned.requests.entries()) {
        const result = settled[at];
        if (result === undefined) continue;
        if (result.status === 'fulfilled') answers.push({ request, answer: result.value });
        // Only what the server refused belongs to one query; a lost connection is everybody's.
        else if (!(result.reason instanceof ApiError)) throw result.reason;
        else errors.set(request.refId, result.reason.message);
      }
      return { answers, errors, tookMs: performance.now() - started };
    },
    enabled: enabled && planned.requests.length > 0,
    placeholderData: keepPreviousData,
    gcTime: 30_000,
  });
  // While the server is away the last answer stays, beside the word that it is old.
  const last = useRef(answer.data);
  if (answer.data !== undefined) last.current = answer.data;
  const data = answer.data ?? (answer.error instanceof Unreachable ? last.current : undefined);
  const answers = data?.answers;
  const errors = data?.errors ?? NO_ERRORS;
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
    error: answer.error?.message ?? [...errors.values()][0],
    errors,
    tookMs: data?.tookMs,
    environment,
  };
}
