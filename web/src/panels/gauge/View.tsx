/** A value on an arc, coloured by its threshold. */

import { useMemo } from 'react';
import { linksOf } from '../../dashboard/links';
import { inkFor } from '../../lib/color';
import { type Json, numeric, object, text } from '../../lib/json';
import type { PanelProps } from '../panel';
import { tileGrid } from '../stat/prepare';
import { arcPath, type GaugeView, prepareGauges } from './prepare';

/** About how wide a letter of a name is. */
const LETTER = 7.2;

export function Gauge({ panel, frames, width, height, interpolate, dark }: PanelProps) {
  const gauges = useMemo(() => prepareGauges(frames, panel.options), [frames, panel.options]);
  const { columns, rows } = tileGrid(
    gauges.length,
    width,
    height,
    text(panel.options, 'orientation') ?? 'auto',
    1.1,
  );
  const [w, h] = [Math.max(width / columns - 4, 60), Math.max(height / rows - 4, 50)];
  const marks = panel.options.showThresholdMarkers !== false;
  const labels = panel.options.showThresholdLabels === true;
  const sizes = object(panel.options, 'text');
  return (
    <div
      style={{ display: 'grid', gridTemplateColumns: `repeat(${columns}, 1fr)`, height, gap: 4 }}
    >
      {gauges.map((gauge, at) => (
        <Arc
          key={at}
          gauge={gauge}
          dark={dark}
          width={w}
          height={h}
          marks={marks}
          named={gauges.length > 1}
          labels={labels}
          sizes={sizes}
          interpolate={interpolate}
        />
      ))}
    </div>
  );
}

type ArcProps = {
  readonly gauge: GaugeView;
  readonly dark: boolean;
  readonly width: number;
  readonly height: number;
  readonly marks: boolean;
  readonly named: boolean;
  readonly labels: boolean;
  readonly sizes: Json;
  readonly interpolate: PanelProps['interpolate'];
};

function Arc({ gauge, dark, width, height, marks, named, labels, sizes, interpolate }: ArcProps) {
  const { shown, name, share, bands } = gauge;
  const room = height - (named ? 18 : 0);
  const radius = Math.max(Math.min(width / 2 - (labels ? 34 : 8), room / 1.8 - 8), 14);
  const thick = Math.max(radius * 0.2, 5);
  const center = [width / 2, Math.min(room / 2 + radius * 0.2, room - radius * 0.72)] as const;
  const middle = radius - thick / 2 - (marks ? thick * 0.45 : 0);
  const inner = middle - thick / 2;
  // Bold digits are two thirds as wide as high, and the ring is narrower above and below its middle.
  const fitting = Math.min((inner * 1.6) / Math.max(shown.text.length, 3) / 0.67, inner * 0.6, 44);
  const size = numeric(sizes, 'valueSize') ?? fitting;
  const [link] = linksOf(gauge.field, { value: shown.number, text: shown.text }, interpolate);
  const drawn = (
    <svg width={width} height={height} role="img" aria-label={`${name}: ${shown.text}`}>
      <path
        d={arcPath(center, middle, 0, 1)}
        fill="none"
        stroke="var(--panel-border)"
        strokeWidth={thick}
      />
      {share > 0 && (
        <path
          d={arcPath(center, middle, 0, share)}
          fill="none"
          stroke={shown.color}
          strokeWidth={thick}
        />
      )}
      {marks &&
        bands.map((band) => (
          <path
            key={band.from}
            d={arcPath(center, radius, band.from, band.to)}
            fill="none"
            stroke={band.color}
            strokeWidth={Math.max(thick * 0.22, 2)}
          />
        ))}
      <text
        x={center[0]}
        y={center[1] + size * 0.34}
        textAnchor="middle"
        fontSize={size}
        fontWeight={600}
        fill={inkFor(shown.color, dark)}
      >
        {shown.text}
      </text>
      {labels &&
        bands.slice(1).map((band) => {
          const angle = 0.75 * Math.PI + band.from * 1.5 * Math.PI;
          const [x, y] = [Math.cos(angle), Math.sin(angle)];
          return (
            <text
              key={band.from}
              x={center[0] + x * (radius + 6)}
              y={center[1] + y * (radius + 6)}
              textAnchor={x < -0.2 ? 'end' : x > 0.2 ? 'start' : 'middle'}
              fontSize={10}
              fill="var(--faint)"
            >
              {band.label}
            </text>
          );
        })}
      {named && (
        <text
          x={width / 2}
          y={height - 4}
          textAnchor="middle"
          fontSize={numeric(sizes, 'titleSize') ?? 12}
          fill="var(--faint)"
        >
          {name.length * LETTER > width
            ? `${name.slice(0, Math.max(Math.floor(width / LETTER) - 1, 1))}…`
            : name}
        </text>
      )}
    </svg>
  );
  return link === undefined ? (
    drawn
  ) : (
    <a href={link.href} {...(link.newTab ? { target: '_blank', rel: 'noreferrer' } : {})}>
      {drawn}
    </a>
  );
}
