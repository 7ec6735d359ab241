/** Explore: expressions of metrics and of logs, in one pane or in two with one range of time. */

import { VisuallyHidden } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import type { RawRange } from '../../lib/time/relative';
import { PageTools } from '../../ui/PageTools';
import { TimePicker } from '../../ui/TimePicker';
import { TimeProvider } from '../../ui/time';
import { LogsPane } from './LogsPane';
import { MetricsPane } from './MetricsPane';
import { PaneHead } from './PaneHead';
import { type Kind, type Pane, type Panes, panesUrl, readPanes } from './panes';
import './explore.css';

const HOUR: RawRange = { from: 'now-1h', to: 'now' };

/** What a pane can do with itself and with its neighbour. */
export type PaneControl = {
  readonly pane: Pane;
  readonly second: boolean;
  readonly change: (change: Partial<Pane>, replace?: boolean) => void;
  /** Opens, or changes, the pane beside this one; with a range for both if there is one. */
  readonly beside: (kind: Kind, expr: string, range?: { from: number; to: number }) => void;
  readonly split: (() => void) | undefined;
  readonly close: (() => void) | undefined;
};

export function Explore({ kind }: { kind: string | undefined }) {
  const client = useQueryClient();
  const busy = useCallback(() => client.isFetching({ queryKey: ['panel'] }) > 0, [client]);
  const [params] = useSearchParams();
  const [, go] = useLocation();
  const panes = useMemo(() => readPanes(kind, params), [kind, params]);
  const { left, right } = panes;
  useDocumentTitle(`${left.exprs[0] || `Explore ${left.kind}`} - Masthead`);

  const write = (next: Panes, replace = false, range?: { from: number; to: number }) => {
    const kept = new URLSearchParams(window.location.search);
    if (range !== undefined) {
      kept.set('from', String(range.from));
      kept.set('to', String(range.to));
    }
    go(panesUrl(next, kept), { replace });
  };
  const first: PaneControl = {
    pane: left,
    second: false,
    change: (change, replace) => write({ left: { ...left, ...change }, right }, replace),
    beside: (other, expr, range) =>
      write({ left, right: { kind: other, exprs: [expr], show: '' } }, false, range),
    split: right === undefined ? () => write({ left, right: left }) : undefined,
    close: right === undefined ? undefined : () => write({ left: right, right: undefined }),
  };
  const second: PaneControl | undefined =
    right === undefined
      ? undefined
      : {
          pane: right,
          second: true,
          change: (change, replace) => write({ left, right: { ...right, ...change } }, replace),
          beside: (other, expr, range) =>
            write({ left: { kind: other, exprs: [expr], show: '' }, right }, false, range),
          split: undefined,
          close: () => write({ left, right: undefined }),
        };
  return (
    <TimeProvider defaultRange={HOUR} defaultRefresh="" defaultZone="browser" busy={busy}>
      <PageTools>
        <TimePicker />
      </PageTools>
      <VisuallyHidden component="h1">Explore</VisuallyHidden>
      <div className="explore" data-split={second !== undefined}>
        <OnePane control={first} />
        {second !== undefined && <OnePane control={second} />}
      </div>
    </TimeProvider>
  );
}

function OnePane({ control }: { control: PaneControl }) {
  const { kind } = control.pane;
  return (
    <section aria-label={control.second ? 'Second pane' : 'First pane'} className="explore-pane">
      <PaneHead control={control} />
      {kind === 'metrics' ? (
        <MetricsPane key="metrics" control={control} />
      ) : (
        <LogsPane key="logs" control={control} />
      )}
    </section>
  );
}
