/** Bars of how often values lie in which range. */

import { useMemo } from 'react';
import { object } from '../../lib/json';
import { ticks } from '../../lib/ticks';
import type { PanelProps } from '../panel';
import { Swatches } from '../parts/Swatches';
import '../parts/parts.css';
import { prepareHistogram } from './prepare';

const LEFT = 40;
const BOTTOM = 20;

export function Histogram({ panel, frames, width, height }: PanelProps) {
  const view = useMemo(() => prepareHistogram(frames, panel.options), [frames, panel.options]);
  if (view === undefined) return null;
  const { start, size, series, most, write } = view;
  const count = series[0]?.counts.length ?? 0;
  const options = object(panel.options, 'legend');
  const legend =
    series.length > 1 && options.showLegend !== false && options.displayMode !== 'hidden';
  const room = height - BOTTOM - (legend ? 28 : 0);
  const step = (width - LEFT - 6) / count;
  const y = (value: number) => room - (value / most) * (room - 8);
  const bound = (at: number) => start + at * size;
  const marks = ticks(0, count, Math.max(Math.floor(width / 90), 1)).filter(Number.isInteger);
  return (
    <div className="panel-column" style={{ width, height }}>
      <svg width={width} height={room + BOTTOM} role="img" aria-label={`Chart: ${panel.title}`}>
        <g className="axis">
          {ticks(0, most, Math.max(Math.floor(room / 40), 1)).map((value) => (
            <g key={value}>
              <line x1={LEFT} x2={width - 6} y1={y(value)} y2={y(value)} />
              <text x={LEFT - 6} y={y(value) + 4} textAnchor="end">
                {value}
              </text>
            </g>
          ))}
          {marks.map((at) => (
            <text key={at} x={LEFT + at * step} y={room + 15} textAnchor="middle">
              {write(bound(at)).text}
            </text>
          ))}
        </g>
        {series.map((one) =>
          one.counts.map((value, at) => (
            <rect
              key={`${one.name}/${at}`}
              x={LEFT + at * step + 0.5}
              y={y(value)}
              width={Math.max(step - 1, 1)}
              height={room - y(value)}
              fill={one.color}
              fillOpacity={one.fill}
            >
              <title>{`${write(bound(at)).text} to ${write(bound(at + 1)).text}: ${value}`}</title>
            </rect>
          )),
        )}
      </svg>
      {legend && <Swatches of={series} />}
    </div>
  );
}
