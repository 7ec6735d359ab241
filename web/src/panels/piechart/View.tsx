/** Parts of a whole, as a pie or a ring. */

import { useMemo } from 'react';
import { readableOn } from '../../lib/color';
import { object, text, texts } from '../../lib/json';
import type { PanelProps } from '../panel';
import { Swatches } from '../parts/Swatches';
import { prepareSlices, slicePath } from './prepare';

export function PieChart({ panel, frames, width, height }: PanelProps) {
  const slices = useMemo(() => prepareSlices(frames, panel.options), [frames, panel.options]);
  const legend = object(panel.options, 'legend');
  const shown = legend.showLegend !== false && text(legend, 'displayMode') !== 'hidden';
  const right = text(legend, 'placement') !== 'bottom' && width > 260;
  const values = texts(legend, 'values');
  const labels = texts(panel.options, 'displayLabels');
  const room = shown && !right ? height - 50 : height;
  const across = shown && right ? width * 0.58 : width;
  const radius = Math.max(Math.min(across, room) / 2 - 6, 12);
  const center = [across / 2, room / 2] as const;
  const inner = text(panel.options, 'pieType') === 'donut' ? radius * 0.6 : 0;
  const percent = (share: number) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;
  return (
    <div style={{ display: 'flex', flexDirection: right ? 'row' : 'column', width, height }}>
      <svg
        width={across}
        height={room}
        style={{ flex: 'none' }}
        role="img"
        aria-label={`Chart: ${panel.title}`}
      >
        {slices.map((slice) => (
          <path
            key={slice.name}
            d={slicePath(slice, center, radius, inner)}
            fill={slice.shown.color}
            stroke="var(--panel)"
            strokeWidth={slices.length > 1 ? 1.5 : 0}
          >
            <title>{`${slice.name}: ${slice.shown.text} (${percent(slice.share)})`}</title>
          </path>
        ))}
        {labels.length > 0 &&
          slices
            .filter((slice) => slice.share > 0.04)
            .map((slice) => {
              const angle = (slice.start + slice.share / 2) * 2 * Math.PI - Math.PI / 2;
              const far = inner === 0 ? radius * 0.64 : (inner + radius) / 2;
              const parts = [
                ...(labels.includes('name') ? [slice.name.slice(0, 16)] : []),
                ...(labels.includes('value') ? [slice.shown.text] : []),
                ...(labels.includes('percent') ? [percent(slice.share)] : []),
              ];
              return (
                <text
                  key={slice.name}
                  x={center[0] + Math.cos(angle) * far}
                  y={center[1] + Math.sin(angle) * far + 4}
                  textAnchor="middle"
                  fontSize={11}
                  fill={readableOn(slice.shown.color)}
                  pointerEvents="none"
                >
                  {parts.join(' ')}
                </text>
              );
            })}
      </svg>
      {shown && (
        <Swatches
          column={right}
          of={slices.map(({ name, shown: { color, text: value }, share }) => ({
            name,
            color,
            ...(values.length === 0
              ? {}
              : {
                  value: [
                    ...(values.includes('value') ? [value] : []),
                    ...(values.includes('percent') ? [percent(share)] : []),
                  ].join(' · '),
                }),
          }))}
        />
      )}
    </div>
  );
}
