/** What is slow: the queries that run now, and the slowest of the last hour with where time went. */

import { Alert, Badge, Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { Link } from 'wouter';
import type { QueryShown, RunningQuery, SlowQuery, Touched } from '../../api/generated';
import { endQuery, queries } from '../../api/queries';
import { bytes, seconds } from '../../dashboard/units/units';
import { exploreUrl } from '../../lib/explore-url';
import { formatDuration } from '../../lib/time/duration';
import { Nothing, Page, Part } from '../../ui/Page';
import { useSession } from '../../ui/session';
import { held } from './held';
import { bars } from './spans';
import './queries.css';

const count = (value: number) => value.toLocaleString('en');

/** So long after its last move a pointer only lies there. */
const STILL_MS = 20_000;

const NONE: ReadonlySet<number> = new Set();

export function Queries() {
  const all = useQuery({
    queryKey: ['queries'],
    queryFn: ({ signal }) => queries({ signal }),
    refetchInterval: 2_000,
  });
  const { running = [], slowest = [] } = all.data ?? {};
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const toggle = (id: number) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  const [runs, aboutRuns] = useHeld(running, NONE);
  const [slow, aboutSlow] = useHeld(slowest, open);
  const alive = new Set(running.map(({ id }) => id));
  return (
    <Page title="Queries" known={all.data !== undefined} error={all.error}>
      <Part title="Running" {...aboutRuns}>
        {runs.length === 0 ? (
          <Nothing>No query runs.</Nothing>
        ) : (
          <Sheet last="">
            {runs.map((query) => (
              <Running key={query.id} query={query} ended={!alive.has(query.id)} />
            ))}
          </Sheet>
        )}
      </Part>
      <Part title="Slowest of the last hour" name="Slowest" {...aboutSlow}>
        {slow.length === 0 ? (
          <Nothing>No query has ended in the last hour.</Nothing>
        ) : (
          <Sheet last="Outcome">
            {slow.map((query) => (
              <Slow
                key={query.id}
                query={query}
                open={open.has(query.id)}
                onToggle={() => toggle(query.id)}
              />
            ))}
          </Sheet>
        )}
      </Part>
    </Page>
  );
}

/** No row moves away under a hand that is about to press it, or while one of them is open. */
function useHeld<T extends { readonly id: number }>(now: readonly T[], open: ReadonlySet<number>) {
  const until = useRef(0);
  const shown = useRef(now);
  const still = Date.now() < until.current || shown.current.some(({ id }) => open.has(id));
  shown.current = still ? held(shown.current, now) : now;
  const hold = () => {
    until.current = Date.now() + STILL_MS;
  };
  const letGo = () => {
    until.current = 0;
  };
  const hand = { onPointerMove: hold, onPointerLeave: letGo, onFocus: hold, onKeyDown: hold };
  return [shown.current, hand] as const;
}

function Sheet({ last, children }: { last: string; children: React.ReactNode }) {
  return (
    <div className="sheet" data-wide data-stack>
      <table>
        <thead>
          <tr>
            <th scope="col" style={{ width: 90 }} data-number>
              Took
            </th>
            <th scope="col">Query</th>
            <th scope="col" style={{ width: 210 }}>
              Touched
            </th>
            <th scope="col" style={{ width: 100 }}>
              {last === '' ? <span aria-hidden="true" /> : last}
            </th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function Expression({ query, times = 1 }: { query: QueryShown; times?: number }) {
  const { language, startMs, endMs, stepMs, beganMs } = query;
  const range =
    startMs === endMs
      ? 'at one instant'
      : `over ${formatDuration(endMs - startMs)}${stepMs === null ? '' : `, step ${formatDuration(stepMs)}`}`;
  const url = exploreUrl({
    kind: language === 'logql' ? 'logs' : 'metrics',
    exprs: [query.query],
    from: startMs === endMs ? endMs - 3_600_000 : startMs,
    to: endMs,
  });
  return (
    <>
      <Link href={url} className="mono query-text">
        {query.query}
      </Link>
      <div className="faint">
        {language === 'logql' ? 'LogQL' : 'PromQL'} {range}, begun{' '}
        {new Date(beganMs).toLocaleTimeString('sv-SE')}
        {times > 1 && `, the slowest of ${count(times)} runs`}
      </div>
    </>
  );
}

function TouchedCell({
  touched,
  language,
}: {
  touched: Touched;
  language: QueryShown['language'];
}) {
  const [one, many] =
    language === 'logql'
      ? ['lines', touched.series === 1 ? 'stream' : 'streams']
      : ['samples', 'series'];
  return (
    <td>
      {count(touched.samples)} {one}
      <div className="faint">
        {count(touched.series)} {many}, {count(touched.blocks)}{' '}
        {touched.blocks === 1 ? 'block' : 'blocks'}
      </div>
      <div className="faint">{bytes(touched.decodedBytes)} decoded</div>
    </td>
  );
}

function Running({ query, ended }: { query: RunningQuery; ended: boolean }) {
  const client = useQueryClient();
  const { mayChange } = useSession();
  const [error, setError] = useState<string | undefined>();
  const end = async () => {
    try {
      await endQuery(query.id);
      await client.invalidateQueries({ queryKey: ['queries'] });
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
    }
  };
  return (
    <tr>
      <td data-number data-label="took">
        {seconds(query.elapsedSeconds)}
      </td>
      <td>
        <Expression query={query} />
        {query.waits && !ended && (
          <Badge size="sm" variant="light" color="yellow" tt="none">
            waits for a place
          </Badge>
        )}
        {error !== undefined && (
          <Alert color="red" p={4}>
            {error}
          </Alert>
        )}
      </td>
      <TouchedCell touched={query.touched} language={query.language} />
      <td>
        {ended && <span className="faint">ended</span>}
        {!ended && mayChange && (
          <Button size="compact-xs" variant="default" onClick={() => void end()}>
            End it
          </Button>
        )}
      </td>
    </tr>
  );
}

const COLORS = { done: 'green', failed: 'red', cancelled: 'gray' } as const;

type SlowProps = {
  readonly query: SlowQuery;
  readonly open: boolean;
  readonly onToggle: () => void;
};

function Slow({ query, open, onToggle }: SlowProps) {
  const { explain } = query;
  return (
    <tr>
      <td data-number data-label="took">
        {seconds(explain.totalSeconds)}
      </td>
      <td>
        <Expression query={query} times={query.times} />
        <button type="button" className="plain faint" aria-expanded={open} onClick={onToggle}>
          {open ? 'Hide the steps' : 'Where did the time go?'}
        </button>
        {open && (
          <div className="query-steps">
            <div className="faint">{seconds(explain.queuedSeconds)} until it had a place</div>
            {explain.spans.length === 0 && (
              <div className="faint">It ended before its first step.</div>
            )}
            {bars(explain.spans, explain.totalSeconds).map(({ what, left, width }, at) => (
              <div key={`${what} ${left} ${at}`} className="query-step">
                <span className="mono cut" title={what}>
                  {what}
                </span>
                <span className="query-bar">
                  <span style={{ left: `${left}%`, width: `${width}%` }} />
                </span>
                <span data-number>{seconds(explain.spans[at]?.tookSeconds ?? 0)}</span>
              </div>
            ))}
          </div>
        )}
      </td>
      <TouchedCell touched={explain} language={query.language} />
      <td>
        <Badge size="sm" variant="light" color={COLORS[query.outcome]} tt="none">
          {query.outcome}
        </Badge>
      </td>
    </tr>
  );
}
