/** What lies over a chart: events of annotations, exemplars with the way to their request's lines. */

import { Button } from '@mantine/core';
import { useState } from 'react';
import type uPlot from 'uplot';
import { useLocation } from 'wouter';
import type { Exemplar } from '../../api/prometheus';
import type { Event } from '../../dashboard/annotations/events';
import { findLogs } from '../../dashboard/findRelated';
import { isRequestId } from '../../dashboard/related';
import { instant } from '../../dashboard/units/time';
import { cssColor, withAlpha } from '../../lib/color';
import { exploreUrl } from '../../lib/explore-url';
import type { Zone } from '../../lib/time/calendar';
import type { TimeRange } from '../../lib/time/relative';
import { LabelList } from '../../ui/LabelList';
import './marks.css';

/** How much around an exemplar its request's lines are looked for. */
const AROUND_MS = 15 * 60_000;

type Props = {
  readonly chart: uPlot;
  /** The scale that exemplars are measured by. */
  readonly scale: string;
  readonly range: TimeRange;
  readonly zone: Zone;
  readonly events: readonly Event[];
  readonly exemplars: readonly Exemplar[];
};

type Shown =
  | { readonly kind: 'event'; readonly event: Event; readonly left: number }
  | { readonly kind: 'exemplar'; readonly exemplar: Exemplar; readonly left: number };

export function Marks({ chart, scale, range, zone, events, exemplars }: Props) {
  const [shown, setShown] = useState<Shown | undefined>();
  // One stop for the keyboard, whatever their number; arrows go from one to the next.
  const [stop, setStop] = useState(0);
  const ratio = devicePixelRatio || 1;
  const box = {
    left: chart.bbox.left / ratio,
    top: chart.bbox.top / ratio,
    width: chart.bbox.width / ratio,
    height: chart.bbox.height / ratio,
  };
  const x = (ms: number) =>
    ((Math.min(Math.max(ms, range.from), range.to) - range.from) / (range.to - range.from)) *
    box.width;
  const visible = events.filter((e) => e.to >= range.from && e.from <= range.to);
  const y = (value: number) => chart.valToPos(value, scale);
  const low = chart.scales[scale]?.min ?? Number.NEGATIVE_INFINITY;
  const high = chart.scales[scale]?.max ?? Number.POSITIVE_INFINITY;
  const within = exemplars
    .filter(({ value }) => value >= low && value <= high)
    .sort((a, b) => a.at - b.at);
  return (
    <>
      <div className="marks" style={box}>
        {visible.map((event, at) => {
          const [left, right] = [x(event.from), x(event.to)];
          const color = cssColor(event.color);
          return (
            <div key={at}>
              <div
                className="mark-line"
                style={{
                  left,
                  width: Math.max(right - left, 0),
                  borderColor: color,
                  background: withAlpha(color, 0.12),
                }}
              />
              <button
                type="button"
                className="mark-event"
                style={{ left, borderBottomColor: color }}
                aria-label={`${event.title} at ${new Date(event.from).toISOString()}`}
                onPointerEnter={() => setShown({ kind: 'event', event, left })}
                onPointerLeave={() => setShown(undefined)}
                onFocus={() => setShown({ kind: 'event', event, left })}
                onBlur={() => setShown(undefined)}
              />
            </div>
          );
        })}
        {within.map((exemplar, at) => {
          const left = x(exemplar.at);
          return (
            <button
              key={at}
              type="button"
              className="mark-exemplar"
              tabIndex={at === Math.min(stop, within.length - 1) ? 0 : -1}
              style={{ left, top: y(exemplar.value) }}
              aria-label={`Exemplar ${exemplar.value} at ${new Date(exemplar.at).toISOString()}`}
              onClick={() => setShown({ kind: 'exemplar', exemplar, left })}
              onFocus={() => setStop(at)}
              onKeyDown={(event) => {
                const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
                const next =
                  event.currentTarget.parentElement?.querySelectorAll<HTMLElement>(
                    ':scope > .mark-exemplar',
                  )[at + step];
                if (step === 0 || next === undefined) return;
                event.preventDefault();
                next.focus();
              }}
            />
          );
        })}
      </div>
      {shown !== undefined && (
        <div
          className="chart-tooltip mark-box"
          data-still={shown.kind === 'exemplar'}
          style={{
            top: box.top + 4,
            ...(shown.left > box.width / 2
              ? { right: `calc(100% - ${box.left + shown.left - 10}px)` }
              : { left: box.left + shown.left + 10 }),
          }}
        >
          {shown.kind === 'event' ? (
            <EventBox event={shown.event} zone={zone} />
          ) : (
            <ExemplarBox
              exemplar={shown.exemplar}
              zone={zone}
              onClose={() => setShown(undefined)}
            />
          )}
        </div>
      )}
    </>
  );
}

function EventBox({ event, zone }: { event: Event; zone: Zone }) {
  const time = instant('iso', zone);
  return (
    <>
      <b>
        <bdi>{event.title}</bdi>
      </b>
      <div className="faint">
        {time(event.from).text}
        {event.to > event.from && ` to ${time(event.to).text}`}
      </div>
      <bdi className="mark-text">{event.text}</bdi>
      {event.tags.length > 0 && <div className="faint">{event.tags.join(', ')}</div>}
    </>
  );
}

type ExemplarProps = {
  readonly exemplar: Exemplar;
  readonly zone: Zone;
  readonly onClose: () => void;
};

function ExemplarBox({ exemplar, zone, onClose }: ExemplarProps) {
  const [, go] = useLocation();
  const [busy, setBusy] = useState(false);
  const id = Object.entries(exemplar.labels).find(([name]) => isRequestId(name))?.[1];
  const open = async () => {
    setBusy(true);
    const near = { from: exemplar.at - AROUND_MS, to: exemplar.at + AROUND_MS };
    const logs = await findLogs([], [exemplar.series], near).catch(() => '{service_name=~".+"}');
    const expr = id === undefined ? logs : `${logs} |= ${JSON.stringify(id)}`;
    go(exploreUrl({ kind: 'logs', exprs: [expr], ...near }));
  };
  return (
    <>
      <b>Exemplar: {exemplar.value}</b>
      <div className="faint">{instant('iso', zone)(exemplar.at).text}</div>
      <LabelList labels={exemplar.labels} />
      <LabelList labels={exemplar.series} />
      <div style={{ display: 'flex', gap: 6, marginTop: 6 }}>
        <Button size="compact-xs" loading={busy} onClick={() => void open()}>
          {id === undefined ? 'Logs of this time' : 'Lines of this request'}
        </Button>
        <Button size="compact-xs" variant="default" onClick={onClose}>
          Close
        </Button>
      </div>
    </>
  );
}
