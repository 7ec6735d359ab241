/** Columns of time, rows of buckets, a colour for each count. */

import { useEffect, useMemo, useRef, useState } from 'react';
import { joined } from '../../dashboard/units/format';
import { formatter } from '../../dashboard/units/units';
import { numeric, object, text } from '../../lib/json';
import type { PanelProps } from '../panel';
import { TimeAxis, timeWriter } from '../parts/TimeAxis';
import { cellColor } from './color';
import { type HeatmapView, prepareHeatmap } from './prepare';

const LEFT = 54;
const BOTTOM = 20;
const FOOT = 22;

type Over = {
  readonly row: number;
  readonly column: number;
  readonly x: number;
  readonly y: number;
};

export function Heatmap({ panel, frames, width, height, range, zone, dark }: PanelProps) {
  const view = useMemo(
    () => prepareHeatmap(frames, panel.options, range),
    [frames, panel.options, range],
  );
  const color = useMemo(() => cellColor(object(panel.options, 'color')), [panel.options]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [over, setOver] = useState<Over | undefined>();
  const cellGap = numeric(panel.options, 'cellGap') ?? 1;
  const legend = object(panel.options, 'legend').show !== false;
  const yAxis = object(panel.options, 'yAxis');
  const placement = text(yAxis, 'axisPlacement');
  const cells = object(panel.options, 'cellValues');
  const count = (value: number) => {
    const cellUnit = text(cells, 'unit');
    return cellUnit === undefined
      ? rounded(value)
      : joined(formatter(cellUnit)(value, numeric(cells, 'decimals')));
  };
  const across = Math.max(width - LEFT - 6, 20);
  const down = Math.max(height - BOTTOM - (legend ? FOOT : 0), 20);
  const unit = text(object(panel.options, 'yAxis'), 'unit') ?? panel.defaults.unit;
  const tips = object(panel.options, 'tooltip').show !== false;
  const span = range.to - range.from;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colours are read from the page.
  useEffect(() => {
    const element = canvas.current;
    const ctx = element?.getContext('2d');
    if (element === null || ctx === null || ctx === undefined || view === undefined) return;
    const ratio = devicePixelRatio;
    element.width = across * ratio;
    element.height = down * ratio;
    ctx.scale(ratio, ratio);
    ctx.clearRect(0, 0, across, down);
    const high = down / view.rows.length;
    const wide = (view.step / span) * across;
    const gap = wide > 4 && high > 4 ? cellGap : 0;
    view.counts.forEach((line, row) => {
      line.forEach((count, at) => {
        if (count <= 0) return;
        const x = (((view.times[at] ?? 0) - view.step - range.from) / span) * across;
        ctx.fillStyle = color(strength(view, count));
        ctx.fillRect(x, down - (row + 1) * high, Math.max(wide - gap, 1), Math.max(high - gap, 1));
      });
    });
  }, [view, color, across, down, span, range.from, dark, cellGap]);

  if (view === undefined) return null;
  const write = (upper: number | undefined, name: string) =>
    upper === undefined || unit === undefined || !Number.isFinite(upper)
      ? name === 'Infinity' || name === '+Inf'
        ? '+Inf'
        : name
      : joined(formatter(unit)(upper, numeric(yAxis, 'decimals') ?? panel.defaults.decimals));
  const rowHigh = down / view.rows.length;
  const skip = Math.max(Math.ceil(15 / rowHigh), 1);
  const time = timeWriter(range, zone);
  const shown = over === undefined ? undefined : view.rows[over.row];
  return (
    <div style={{ position: 'relative', width, height }}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Chart: ${panel.title}`}
        style={{ position: 'absolute', left: LEFT, top: 0, width: across, height: down }}
        onPointerMove={(e) => {
          const box = e.currentTarget.getBoundingClientRect();
          const [x, y] = [e.clientX - box.left, e.clientY - box.top];
          const at = range.from + (x / across) * span;
          const column = view.times.findIndex((t) => t - view.step <= at && at < t);
          const row = Math.floor((down - y) / rowHigh);
          setOver(column < 0 ? undefined : { row, column, x: x + LEFT, y });
        }}
        onPointerLeave={() => setOver(undefined)}
      />
      <svg width={width} height={height} style={{ pointerEvents: 'none' }} aria-hidden="true">
        <g className="axis">
          {view.rows.map(({ name, upper }, row) =>
            row % skip !== 0 || placement === 'hidden' ? null : (
              <text key={name} x={LEFT - 6} y={down - (row + 1) * rowHigh + 9} textAnchor="end">
                {write(upper, name).slice(0, 9)}
              </text>
            ),
          )}
        </g>
        <TimeAxis range={range} zone={zone} left={LEFT} width={across} top={down} />
        {legend &&
          Array.from({ length: 40 }, (_, at) => (
            <rect
              key={at}
              x={LEFT + at * 3}
              y={height - 13}
              width={3.2}
              height={8}
              fill={color(at / 39)}
            />
          ))}
        {legend && (
          <g className="axis">
            <text x={LEFT - 6} y={height - 5} textAnchor="end">
              {count(view.low)}
            </text>
            <text x={LEFT + 126} y={height - 5}>
              {count(view.high)}
            </text>
          </g>
        )}
      </svg>
      {tips && over !== undefined && shown !== undefined && (
        <div
          className="chart-tooltip"
          style={{
            top: Math.min(over.y + 12, Math.max(height - 60, 0)),
            ...(over.x > width / 2 ? { right: width - over.x + 12 } : { left: over.x + 12 }),
          }}
        >
          <div className="faint">{time(view.times[over.column] ?? 0)}</div>
          <div className="chart-tooltip-row">
            up to {write(shown.upper, shown.name)}
            <b>{count(view.counts[over.row]?.[over.column] ?? 0)}</b>
          </div>
        </div>
      )}
    </div>
  );
}

/** Few counts differ as much as many do: the place is by the square root. */
function strength({ low, high }: HeatmapView, count: number): number {
  return high > low ? Math.sqrt(Math.min(Math.max((count - low) / (high - low), 0), 1)) : 1;
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}
