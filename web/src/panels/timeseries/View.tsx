/** Lines, bars and points over time, with a legend and a tooltip. */

import 'uplot/dist/uPlot.min.css';
import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import type { Exemplar } from '../../api/prometheus';
import { useEvents } from '../../dashboard/annotations/useEvents';
import { isObject, texts } from '../../lib/json';
import type { PanelProps } from '../panel';
import { chartOptions } from './chart';
import { Legend } from './Legend';
import { Marks } from './Marks';
import { prepareTimeSeries, type TimeSeriesView } from './prepare';
import { Tooltip, type TooltipState } from './Tooltip';

const NO_EXEMPLARS: readonly Exemplar[] = [];

export function TimeSeries({
  panel,
  frames,
  width,
  height,
  range: asked,
  zone,
  dark,
  onZoom,
  crosshair,
  exemplars = NO_EXEMPLARS,
  interpolate,
}: PanelProps) {
  const prepared = useMemo(() => prepareTimeSeries(frames), [frames]);
  const [only, setOnly] = useState<ReadonlySet<string>>(new Set());
  const newest = useMemo(() => isolated(prepared, only), [prepared, only]);
  // An answer that comes while a part is being chosen would take the chart from under the hand.
  const [{ view, range }, press] = useWhilePressed({ view: newest, range: asked });
  const legend = legendOf(panel);
  const shown = legend.showLegend !== false && legend.displayMode !== 'hidden';
  const right = legend.placement === 'right' && width > 420;
  const calcs = useMemo(() => texts(legendOf(panel), 'calcs'), [panel]);
  const sorted = useMemo(() => {
    const { sortBy, sortDesc } = legendOf(panel);
    return typeof sortBy === 'string' ? { by: sortBy, down: sortDesc === true } : undefined;
  }, [panel]);
  const asTable = legend.displayMode === 'table';
  const rows = view.series.filter((s) => s.inLegend).length;
  const legendHeight =
    !shown || right
      ? 0
      : asTable
        ? Math.min(rows * 23 + 26, height * 0.45)
        : // One line if all names fit into it, else two; more are scrolled to.
          Math.min(legendWidthOf(view.series, calcs.length) <= width ? 24 : 44, height * 0.3);
  // A table has room for names beside its columns, as far as the chart can spare it.
  const natural = asTable ? 140 + calcs.length * 80 : 300;
  const wide = typeof legend.width === 'number' && legend.width > 0 ? legend.width : natural;
  const legendWidth = shown && right ? Math.min(wide, width * (asTable ? 0.6 : 0.38)) : 0;
  const [tooltip, setTooltip] = useState<TooltipState | undefined>();
  const [pinned, setPinned] = useState(false);
  const host = useRef<HTMLDivElement>(null);
  const { events } = useEvents();
  // What lies over the chart needs its scales, which it has when it is drawn.
  const [drawn, setDrawn] = useState<uPlot | undefined>();
  const pin = useRef(false);
  pin.current = pinned;

  const chartWidth = Math.max(width - legendWidth, 60);
  const chartHeight = Math.max(height - legendHeight, 50);
  const down = useRef({ x: 0, y: 0 });
  const zoom = useRef(onZoom);
  zoom.current = onZoom;

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const options = chartOptions(
      view,
      range,
      { dark, zone, width: chartWidth, height: chartHeight },
      crosshair ?? '',
      {
        onZoom: (from, to) => zoom.current({ from, to }),
        onCursor: (chart) => {
          if (pin.current) return;
          const { left, top, idx } = chart.cursor;
          // A crosshair that another panel moves shows a line here, and no tooltip.
          const own = chart.over.matches(':hover');
          if (
            idx === null ||
            idx === undefined ||
            left === undefined ||
            top === undefined ||
            left < 0 ||
            !own
          ) {
            setTooltip(undefined);
          } else {
            setTooltip({
              at: idx,
              left: left + chart.bbox.left / devicePixelRatio,
              top,
              y: chart.posToVal(top, view.scales[0]?.key ?? 'y'),
            });
          }
        },
      },
    );
    const data = [view.times, ...view.series.map((s) => s.values)] as uPlot.AlignedData;
    const chart = new uPlot(options, data, element);
    const frame = requestAnimationFrame(() => setDrawn(chart));
    return () => {
      cancelAnimationFrame(frame);
      setDrawn(undefined);
      chart.destroy();
    };
  }, [view, range, dark, zone, chartWidth, chartHeight, crosshair]);

  const wanted = isObject(panel.options.tooltip) ? panel.options.tooltip : {};
  const tooltipMode = wanted.mode ?? 'single';
  return (
    <div
      style={{
        display: 'flex',
        flexDirection: right ? 'row' : 'column',
        width,
        height,
        position: 'relative',
      }}
    >
      <div
        ref={host}
        style={{ width: chartWidth, height: chartHeight }}
        onPointerLeave={() => pinned || setTooltip(undefined)}
        onPointerUp={(event) => {
          // A click keeps the tooltip, so that its links can be reached; dragging zooms.
          const { x, y } = down.current;
          if (Math.hypot(event.clientX - x, event.clientY - y) < 4 && tooltip !== undefined)
            setPinned(!pinned);
        }}
        onMouseDown={press}
        onPointerDown={(event) => {
          down.current = { x: event.clientX, y: event.clientY };
        }}
        role="img"
        aria-label={`Chart: ${panel.title}`}
      />
      {drawn !== undefined && (events.length > 0 || exemplars.length > 0) && (
        <Marks
          chart={drawn}
          scale={view.scales[0]?.key ?? 'y'}
          range={range}
          zone={zone}
          events={events}
          exemplars={exemplars}
        />
      )}
      {shown && (
        <Legend
          series={view.series}
          only={only}
          onOnly={setOnly}
          calcs={calcs}
          sorted={sorted}
          asTable={asTable || right}
          width={right ? legendWidth : width}
          height={right ? height : legendHeight}
        />
      )}
      {tooltip !== undefined && tooltipMode !== 'none' && (
        <Tooltip
          state={tooltip}
          view={view}
          zone={zone}
          all={tooltipMode === 'multi'}
          order={wanted.sort === 'asc' ? 'asc' : 'desc'}
          zeros={wanted.hideZeros !== true}
          width={chartWidth}
          interpolate={interpolate}
          {...(pinned
            ? {
                onClose: () => {
                  setPinned(false);
                  setTooltip(undefined);
                },
              }
            : {})}
        />
      )}
    </div>
  );
}

/** What was there when the mouse was pressed stays until it is let go; and what presses it. */
function useWhilePressed<T>(newest: T): readonly [T, () => void] {
  const [held, hold] = useState<T | undefined>();
  useEffect(() => {
    if (held === undefined) return;
    const letGo = () => hold(undefined);
    // Outside of the window nobody tells that it was let go.
    const moved = (event: MouseEvent) => event.buttons === 0 && letGo();
    // On the window, behind the chart, which listens on the document and zooms first.
    window.addEventListener('mouseup', letGo);
    window.addEventListener('mousemove', moved);
    return () => {
      window.removeEventListener('mouseup', letGo);
      window.removeEventListener('mousemove', moved);
    };
  }, [held]);
  return [held ?? newest, () => hold(newest)];
}

function legendOf({ options }: PanelProps['panel']) {
  return isObject(options.legend) ? options.legend : {};
}

/** About how wide a list of all names is, from the length of a usual letter. */
function legendWidthOf(series: TimeSeriesView['series'], calcs: number): number {
  return series
    .filter((s) => s.inLegend)
    .reduce((sum, { name }) => sum + 38 + name.length * 7 + calcs * 100, 0);
}

/** The same with all other series hidden while some are chosen. */
function isolated(view: TimeSeriesView, only: ReadonlySet<string>): TimeSeriesView {
  if (only.size === 0) return view;
  return {
    ...view,
    series: view.series.map((s) => (only.has(s.name) ? s : { ...s, hidden: true })),
  };
}
