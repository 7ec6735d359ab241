/** The events of a dashboard's annotations: asked once for the page, seen by every panel. */

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useMemo, useState } from 'react';
import * as loki from '../../api/loki';
import * as prometheus from '../../api/prometheus';
import { parseDuration, roundInterval } from '../../lib/time/duration';
import { usePageTime } from '../../ui/time';
import { type Environment, type Values, writeQuery } from '../run';
import type { Annotation } from '../schema/model';
import { EVENTS_MAX, type Event, lineEvents, metricEvents } from './events';

export type Events = {
  readonly events: readonly Event[];
  /** Those that can be switched, with what they are now. */
  readonly switches: readonly { readonly name: string; readonly on: boolean }[];
  readonly turn: (name: string, on: boolean) => void;
  /** What was refused, by the annotation's name. */
  readonly errors: ReadonlyMap<string, string>;
};

const NONE: Events = { events: [], switches: [], turn: () => {}, errors: new Map() };
const Context = createContext<Events>(NONE);

/** Outside of a dashboard there are none. */
export function useEvents(): Events {
  return useContext(Context);
}

/** Steps of the range at which a metric is looked at. */
const STEPS = 500;
const MIN_STEP_MS = 15_000;

type Props = {
  readonly annotations: readonly Annotation[];
  readonly values: Values;
  readonly ready: boolean;
  readonly children: ReactNode;
};

export function EventsProvider({ annotations, values, ready, children }: Props) {
  const { range, zone, tick } = usePageTime();
  const [turned, setTurned] = useState<Readonly<Record<string, boolean>>>({});
  const known = annotations.filter(
    (a) => !a.builtIn && a.expr !== '' && ['prometheus', 'loki'].includes(a.source.kind),
  );
  const active = known.filter((a) => turned[a.name] ?? a.enabled);
  const environment: Environment = { range, zone, values, points: STEPS, scrapeMs: MIN_STEP_MS };
  const planned = active.map((annotation) => {
    const wanted = parseDuration(annotation.step ?? '') ?? 0;
    const fitting = roundInterval((range.to - range.from) / STEPS);
    const stepMs = Math.max(wanted, fitting, MIN_STEP_MS);
    const language = annotation.source.kind === 'loki' ? 'loki' : 'prometheus';
    return { annotation, stepMs, expr: writeQuery(annotation.expr, environment, stepMs, language) };
  });
  const asked = planned.map(({ annotation, expr, stepMs }) => [annotation.name, expr, stepMs]);
  const { data } = useQuery({
    queryKey: ['events', asked, range.from, range.to, tick],
    enabled: ready && planned.length > 0,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const errors = new Map<string, string>();
      const found = await Promise.all(
        planned.map(async ({ annotation, expr, stepMs }) => {
          try {
            if (annotation.source.kind === 'loki') {
              const lines = await loki.queryLines(
                {
                  expr,
                  start: loki.nanos(range.from),
                  end: loki.nanos(range.to),
                  limit: EVENTS_MAX,
                  direction: 'backward',
                },
                { signal },
              );
              return lineEvents(annotation, lines);
            }
            const { frames } = await prometheus.queryRange({ expr, ...range, stepMs }, { signal });
            return metricEvents(annotation, frames, stepMs);
          } catch (error) {
            if (signal.aborted) throw error;
            errors.set(annotation.name, error instanceof Error ? error.message : String(error));
            return [];
          }
        }),
      );
      return { events: found.flat().sort((a, b) => a.from - b.from), errors };
    },
  });
  const on = JSON.stringify(
    known.filter((a) => !a.hidden).map((a) => [a.name, active.includes(a)]),
  );
  const quiet = active.length === 0;
  const value = useMemo<Events>(
    () => ({
      events: quiet ? [] : (data?.events ?? []),
      errors: data?.errors ?? NONE.errors,
      switches: (JSON.parse(on) as [string, boolean][]).map(([name, is]) => ({ name, on: is })),
      turn: (name, next) => setTurned((before) => ({ ...before, [name]: next })),
    }),
    [data, on, quiet],
  );
  return <Context value={value}>{children}</Context>;
}
